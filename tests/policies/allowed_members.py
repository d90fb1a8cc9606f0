"""What of .NET an expression may use: the part of Microsoft's list that the product needs.

Source: learn.microsoft.com/azure/api-management/api-management-policy-expressions. It names no
delegates; lambdas that LINQ takes (`System.Func`) are in Microsoft's own samples.
"""

from __future__ import annotations

from typing import Final

# Type -> its members; None: all of them.
ALLOWED: Final[dict[str, frozenset[str] | None]] = {
    "Newtonsoft.Json.Formatting": None,
    "Newtonsoft.Json.Linq.Extensions": None,
    "Newtonsoft.Json.Linq.JArray": None,
    "Newtonsoft.Json.Linq.JContainer": None,
    "Newtonsoft.Json.Linq.JObject": None,
    "Newtonsoft.Json.Linq.JProperty": None,
    "Newtonsoft.Json.Linq.JToken": None,
    "Newtonsoft.Json.Linq.JTokenType": None,
    "Newtonsoft.Json.Linq.JValue": None,
    "System.Array": None,
    "System.BitConverter": None,
    "System.Boolean": None,
    "System.Byte": None,
    "System.Char": None,
    "System.Collections.Generic.ICollection`1": None,
    "System.Collections.Generic.IDictionary`2": None,
    "System.Collections.Generic.IEnumerable`1": None,
    "System.Collections.Generic.IEnumerator`1": None,
    "System.Collections.Generic.IReadOnlyCollection`1": None,
    "System.Collections.Generic.IReadOnlyDictionary`2": None,
    "System.Collections.Generic.KeyValuePair`2": None,
    "System.Collections.Generic.List`1": None,
    "System.Collections.Generic.Stack`1": None,
    "System.Convert": None,
    "System.DateTime": frozenset({".ctor", "ToString", "get_UtcNow"}),
    "System.Exception": None,
    "System.Func`2": None,
    "System.Guid": None,
    "System.Int32": None,
    "System.Int64": None,
    "System.Linq.Enumerable": None,
    "System.Math": None,
    "System.Nullable`1": None,
    "System.Object": None,
    "System.Security.Cryptography.HashAlgorithm": None,
    "System.Security.Cryptography.SHA256": None,
    "System.String": None,
    "System.StringComparer": None,
    "System.StringComparison": None,
    "System.Text.Encoding": None,
    "System.Text.RegularExpressions.Capture": frozenset({"get_Index", "get_Length", "get_Value"}),
    "System.Text.RegularExpressions.Group": frozenset({"get_Captures", "get_Success"}),
    "System.Text.RegularExpressions.GroupCollection": frozenset({"get_Count", "get_Item"}),
    "System.Text.RegularExpressions.Match": frozenset({"get_Groups"}),
    "System.Text.RegularExpressions.Regex": frozenset(
        {".ctor", "IsMatch", "Match", "Matches", "Replace", "Unescape", "Split"}
    ),
    "System.TimeSpan": None,
    "System.Uri": None,
    # what the compiler itself puts in, for `foreach` and iterators
    "System.Collections.IEnumerator": None,
    "System.IDisposable": None,
}


def is_allowed(member: str) -> bool:
    """Whether a member, as `System.String::Split`, or a type may be used."""
    owner, _, name = member.partition("::")
    if owner not in ALLOWED:
        return False
    members = ALLOWED[owner]
    return members is None or not name or name in members
