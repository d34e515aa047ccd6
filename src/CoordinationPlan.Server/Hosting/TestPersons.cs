using CoordinationPlan.Server.Database;
using CoordinationPlan.Server.Rpc;
using CoordinationPlan.V1;

namespace CoordinationPlan.Server.Hosting;

/// <summary>Keeps test persons and real persons apart: development takes only the former, production only the latter.</summary>
internal sealed class TestPersons(InstallationKind installation)
{
    public void Require(IdentityNumber number, string field)
    {
        if (IdentityNumbers.IsTestNumber(number.Value) != (installation == InstallationKind.Development))
        {
            throw Errors.InvalidFields(new FieldFault(field, installation == InstallationKind.Development
                ? "is not the number of a test person; this service takes no others"
                : "is the number of a test person"));
        }
    }
}
