using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace CoordinationPlan.Development;

/// <summary>
/// ASP.NET Core's authentication keeps a key ring, which nothing here uses. This keeps it out of the developer's home directory.
/// </summary>
internal sealed class InMemoryKeyRepository : IXmlRepository
{
    private readonly List<XElement> _elements = [];

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (_elements)
        {
            return [.. _elements];
        }
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (_elements)
        {
            _elements.Add(element);
        }
    }
}
