using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace CoordinationPlan.Server.Rpc;

/// <summary>Errors from before there is a call: in a response of headers only, with the same details as every other error.</summary>
internal static class HeaderErrors
{
    private const string Details = "grpc-status-details-bin";

    private static readonly string TooLarge = ((int)StatusCode.ResourceExhausted).ToString(CultureInfo.InvariantCulture);

    public static void Write(HttpResponse response, RpcException error)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers.GrpcStatus = ((int)error.StatusCode).ToString(CultureInfo.InvariantCulture);
        response.Headers.GrpcMessage = Uri.EscapeDataString(error.Status.Detail);
        response.Headers[Details] = Convert.ToBase64String(error.Trailers.GetValueBytes(Details)!);
    }

    /// <summary>A message that is too large is refused while it is read, by a bare status; this says the rest.</summary>
    public static async Task Complete(HttpContext context, RequestDelegate next)
    {
        await next(context);
        var response = context.Response;
        if (!response.HasStarted && response.Headers.GrpcStatus == TooLarge && !response.Headers.ContainsKey(Details))
        {
            Write(response, Errors.MessageTooLarge());
        }
    }
}
