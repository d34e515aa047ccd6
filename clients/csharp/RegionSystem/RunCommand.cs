using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CoordinationPlan.Client;
using CoordinationPlan.V1;
using Grpc.Core;
using Microsoft.Data.Sqlite;

namespace CoordinationPlan.RegionSystem;

/// <summary><c>regionsystem run</c>: hears, confirms, forgets, sends.</summary>
internal static class RunCommand
{
    private static readonly Option<Uri?> Address = new("--address") { Description = "The service.", CustomParser = Https, DefaultValueFactory = _ => new Uri("https://localhost:7443") };
    private static readonly Option<string> Certificate = new("--certificate") { Description = "The system's client certificate, PEM.", Required = true };
    private static readonly Option<string> Key = new("--key") { Description = "Its private key, PEM.", Required = true };
    private static readonly Option<string?> Authorities = new("--ca") { Description = "The authorities of the service's and the issuer's certificates, PEM. Default: the machine's." };
    private static readonly Option<Uri?> Issuer = new("--issuer") { Description = "The identity provider that gives tokens by client credentials over mutual TLS.", CustomParser = Https };
    private static readonly Option<string?> ClientId = new("--client-id") { Description = "The system's client id at the issuer." };
    private static readonly Option<string?> Scope = new("--scope") { Description = "What the issuer is asked for, where it asks for that." };
    private static readonly Option<string?> TokenFile = new("--token-file") { Description = "Instead of an issuer: a file that something else keeps a fresh token in." };
    private static readonly Option<string> Assignment = new("--assignment") { Description = "assignments/…", Required = true };
    private static readonly Option<Purpose> WhatFor = new("--purpose") { Description = "What for.", DefaultValueFactory = _ => Purpose.CareAndTreatment };
    private static readonly Option<bool> Watch = new("--watch") { Description = "Goes on as things happen. Default: until there is nothing more." };
    private static readonly Option<int> GiveUpAfter = new("--give-up-after") { Description = "Without --watch: for how many seconds a call is tried again.", DefaultValueFactory = _ => 300 };
    private static readonly Option<int> Deadline = new("--deadline") { Description = "How many seconds a call may take.", DefaultValueFactory = _ => 10 };

    public static Command Create(Option<string> database)
    {
        var command = new Command("run", "Keeps the file in step with the service.")
        {
            Address, Certificate, Key, Authorities, Issuer, ClientId, Scope, TokenFile, Assignment, WhatFor, Watch, GiveUpAfter, Deadline,
        };
        command.SetAction((parsed, stop) => RunWithFiles(parsed, parsed.GetValue(database)!, stop));
        return command;
    }

    /// <summary>What is wrong with a file of this machine's is no outage: it is said, and not tried again.</summary>
    private static async Task<int> RunWithFiles(ParseResult parsed, string database, CancellationToken stop)
    {
        try
        {
            return await Run(parsed, database, stop);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or SqliteException)
        {
            await Console.Error.WriteLineAsync($"A file of this machine's cannot be used: {error.Message}");
            return 2;
        }
    }

    private static async Task<int> Run(ParseResult parsed, string database, CancellationToken stop)
    {
        using var certificate = X509Certificate2.CreateFromPemFile(parsed.GetValue(Certificate)!, parsed.GetValue(Key)!);
        var authorities = new X509Certificate2Collection();
        if (parsed.GetValue(Authorities) is { } path)
        {
            authorities.ImportFromPemFile(path);
        }

        ITokens tokens;
        if (parsed.GetValue(TokenFile) is { } file)
        {
            if (!File.Exists(file))
            {
                throw new FileNotFoundException("The token file is not there.");
            }

            tokens = new FileTokens(file);
        }
        else if (parsed.GetValue(Issuer) is { } issuer && parsed.GetValue(ClientId) is { } clientId)
        {
            tokens = new ClientCredentials(issuer, clientId, parsed.GetValue(Scope), certificate, authorities);
        }
        else
        {
            await Console.Error.WriteLineAsync("Say where tokens come from: --issuer and --client-id, or --token-file.");
            return 2;
        }

        using var disposable = tokens as IDisposable;
        using var connection = new CoordinationPlanConnection(new()
        {
            Address = parsed.GetValue(Address)!,
            ClientCertificate = certificate,
            ServerAuthorities = authorities,
            Deadline = TimeSpan.FromSeconds(parsed.GetValue(Deadline)),
        });
        var watch = parsed.GetValue(Watch);
        var patience = new Patience(watch ? null : TimeSpan.FromSeconds(parsed.GetValue(GiveUpAfter)), tokens.Forget);
        // What is to be sent is tried for a while and then again, so that one thing that is not taken keeps back no other.
        var outgoing = watch ? new Patience(TimeSpan.FromMinutes(1), tokens.Forget) : patience;
        var caller = new CallerChoice(parsed.GetValue(Assignment)!, parsed.GetValue(WhatFor), tokens.Get);
        var store = new Store(database);
        var integration = new Integration(connection.For(caller), store, new Outgoing(unit => connection.For(caller with { Unit = unit }), store, outgoing), patience);
        try
        {
            await (watch ? integration.Watch(stop) : integration.RunOnce(stop));
            return 0;
        }
        catch (Exception error) when (stop.IsCancellationRequested && error is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled })
        {
            return 0;
        }
        catch (RpcException error) when (error.StatusCode == StatusCode.PermissionDenied)
        {
            Journal.Write("refused, which does not say why: start again later. Where the assignment is known to be revoked no recalls come any more: settle what this file holds, and forget it (forget-all)");
            return 3;
        }
        catch (RpcException error)
        {
            Journal.Write($"gave up: {error.StatusCode} {error.Reason()}");
            return 1;
        }
        catch (TimeoutException error)
        {
            Journal.Write($"gave up: {error.Message}");
            return 1;
        }
    }

    private static Uri? Https(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[^1].Value, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps)
        {
            return address;
        }

        result.AddError("An address begins with https://.");
        return null;
    }
}
