using System.Text;
using CoordinationPlan.TransparencyLog;
using CoordinationPlan.Witness;

const string Usage = """
    coordplan-witness serve CONFIG       runs the witness (docs/verify.md has an example of the configuration)
    coordplan-witness key NAME FILE      makes a key: the private half into FILE, the public half is printed; NAME is as witness.example.se/w1
    """;

try
{
    switch (args)
    {
        case ["serve", var config]:
            await using (var app = WitnessHost.Create(WitnessOptions.Read(config), TimeProvider.System))
            {
                await app.RunAsync();
            }

            return 0;
        case ["key", var name, var path]:
            if (File.Exists(path))
            {
                throw new WitnessException($"{path} is there already, and a key is not replaced.");
            }

            var key = NoteSigner.Generate(name, NoteAlgorithm.Cosignature);
            DurableFile.Write(path, Encoding.ASCII.GetBytes($"{key}\n"));
            using (var signer = NoteSigner.Parse(key))
            {
                Console.WriteLine(signer.Verifier);
            }

            return 0;
        default:
            await Console.Error.WriteLineAsync(Usage);
            return 2;
    }
}
catch (Exception refusal) when (refusal is WitnessException or FormatException or IOException or UnauthorizedAccessException)
{
    await Console.Error.WriteLineAsync(refusal.Message);
    return 1;
}
