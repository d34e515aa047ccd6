using System.CommandLine;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Cli.Verify;
using CoordinationPlan.TransparencyLog;

namespace CoordinationPlan.Cli;

/// <summary><c>coordplan verify</c>: checks a log from outside.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var source = new Argument<string?>("log")
        {
            Description = "Address of the log, or a folder with a copy of what it serves. Without it, only proofs are checked.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var key = new Option<string>("--key") { Description = "The log's key (vkey), from elsewhere than the log.", Required = true };
        var witnesses = new Option<string[]>("--witness") { Description = "A witness's key (vkey). Can be given several times.", DefaultValueFactory = _ => [] };
        var needed = new Option<int?>("--witnesses-needed") { Description = "How many of the witnesses must have signed. Default: all." };
        var maxAge = new Option<TimeSpan?>("--max-age") { Description = "How long ago a witness may have signed last, as hh:mm:ss. Default: any time." };
        var last = new Option<string?>("--last")
        {
            Description = "File with the checkpoint that was checked last: only what came after is read. It is made, and replaced when the log is right.",
        };
        var known = new Option<string[]>("--known") { Description = "File with a checkpoint that the log gave to somebody else. Can be given several times.", DefaultValueFactory = _ => [] };
        var receipts = new Option<string[]>("--receipts") { Description = "File or folder of receipts that clients were given. Can be given several times.", DefaultValueFactory = _ => [] };
        var receiptKeys = new Option<string[]>("--receipt-key") { Description = "Key that receipts are signed with (vkey). Can be given several times.", DefaultValueFactory = _ => [] };
        var mergeDelay = new Option<TimeSpan>("--merge-delay")
        {
            Description = "The longest time from an answer to its leaf that the operator promises, as hh:mm:ss.",
            DefaultValueFactory = _ => TimeSpan.FromDays(1),
        };
        var proofs = new Option<string[]>("--proof")
        {
            Description = "Proof of an entry (.tlog-proof), or a folder of them; what the entry is about lies beside it as .json. Can be given several times.",
            DefaultValueFactory = _ => [],
        };
        var database = new Option<string?>("--database")
        {
            Description = "Connection string of the role coordplan_auditor: the records are compared with the entries that were made of them, too.",
        };
        var certificate = new Option<string?>("--certificate") { Description = "Client certificate, where the log asks for one (PEM)." };
        var certificateKey = new Option<string?>("--certificate-key") { Description = "The certificate's private key (PEM)." };
        var authorities = new Option<string?>("--authorities") { Description = "Whose server certificates are accepted (PEM). Default: the machine's." };
        var command = new Command(
            "verify",
            """
            Checks a log without trusting who runs it: signatures of the log and of its witnesses, every entry and tile against the signed root, that the log
            begins with what it was before, receipts and proofs. Says what was checked and what was not. Ends with 0 where all is right, 1 where something is wrong,
            2 where something could not be checked.
            """)
        {
            source, key, witnesses, needed, maxAge, last, known, receipts, receiptKeys, mergeDelay, proofs, database, certificate, certificateKey, authorities,
        };
        command.SetAction(async (parsed, stop) =>
        {
            try
            {
                var keys = parsed.GetRequiredValue(witnesses).Select(NoteVerifier.Parse).ToList();
                var options = new VerificationOptions
                {
                    Source = parsed.GetValue(source),
                    Database = parsed.GetValue(database),
                    Log = NoteVerifier.Parse(parsed.GetRequiredValue(key)),
                    Witnesses = new WitnessPolicy(parsed.GetValue(needed) ?? keys.Count, keys),
                    MaxAge = parsed.GetValue(maxAge),
                    Last = parsed.GetValue(last),
                    Known = parsed.GetRequiredValue(known),
                    Receipts = parsed.GetRequiredValue(receipts),
                    ReceiptKeys = [.. parsed.GetRequiredValue(receiptKeys).Select(NoteVerifier.Parse)],
                    MergeDelay = parsed.GetRequiredValue(mergeDelay),
                    Proofs = parsed.GetRequiredValue(proofs),
                };
                if (options.Source is null && options.Database is null && options.Proofs.Count == 0)
                {
                    await Console.Error.WriteLineAsync("There is nothing to check: give a log, a database or a proof.");
                    return VerificationReport.NotChecked;
                }

                using var http = new HttpClient(Handler(parsed.GetValue(certificate), parsed.GetValue(certificateKey), parsed.GetValue(authorities)));
                return await new Verification(options, Console.Out, Console.Error, http, TimeProvider.System).Run(stop);
            }
            catch (Exception failure) when (failure is FormatException or ArgumentException or IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
            {
                await Console.Error.WriteLineAsync(failure.Message);
                return VerificationReport.NotChecked;
            }
        });
        return command;
    }

    private static SocketsHttpHandler Handler(string? certificate, string? key, string? authorities)
    {
        var handler = new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.All };
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = new X509Certificate2Collection(X509Certificate2.CreateFromPemFile(certificate, key ?? certificate));
        }

        if (authorities is not null)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authorities);
        }

        return handler;
    }
}
