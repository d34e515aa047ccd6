using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CoordinationPlan.Cli.Tests;

/// <summary>The folder behind HTTP, and what was asked of it.</summary>
internal sealed class Served : IAsyncDisposable
{
    private WebApplication app = null!;

    public List<string> Paths { get; } = [];

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    public string Address { get; private set; } = "";

    public static async Task<Served> Start(FolderLog log)
    {
        var served = new Served();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        served.app = builder.Build();
        served.app.Urls.Add("http://127.0.0.1:0");
        served.app.MapGet("/a/log/{**path}", (string path) =>
        {
            lock (served.Paths)
            {
                served.Paths.Add(path);
            }

            var file = Path.Combine(log.Folder, path);
            return served.Status != HttpStatusCode.OK ? Results.StatusCode((int)served.Status) : File.Exists(file) ? Results.File(file) : Results.NotFound();
        });
        await served.app.StartAsync();
        served.Address = served.app.Urls.Single() + "/a/log/";
        return served;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
