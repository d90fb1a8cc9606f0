// The methods that API Management adds to strings and dictionaries, and the token that `AsJwt` gives.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Newtonsoft.Json.Linq;

namespace ApiManagement
{
    public sealed class Jwt
    {
        internal Jwt() { }

        public string Algorithm { get; internal set; }
        public IEnumerable<string> Audiences { get; internal set; }
        public IReadOnlyDictionary<string, string[]> Claims { get; internal set; }
        public string Id { get; internal set; }
        public string Issuer { get; internal set; }
        public string Subject { get; internal set; }
        public string Type { get; internal set; }
    }

    public static class Helpers
    {
        public static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> values, string name, string defaultValue)
        {
            string[] found;
            return values.TryGetValue(name, out found) ? string.Join(",", found) : defaultValue;
        }

        public static string GetValueOrDefault(this IReadOnlyDictionary<string, string> values, string name, string defaultValue)
        {
            string found;
            return values.TryGetValue(name, out found) ? found : defaultValue;
        }

        // Throws where the variable is of another type, as API Management does.
        public static T GetValueOrDefault<T>(this IReadOnlyDictionary<string, object> variables, string variableName, T defaultValue)
        {
            object found;
            return variables.TryGetValue(variableName, out found) ? (T)found : defaultValue;
        }

        public static Jwt AsJwt(this string input)
        {
            var parts = input.Split('.');
            if (parts.Length != 3) { return null; }
            try { return Token(Part(parts[0]), Part(parts[1])); } catch (Exception) { return null; }
        }

        public static bool TryParseJwt(this string input, out Jwt result)
        {
            result = input.AsJwt();
            return result != null;
        }

        static Jwt Token(JObject header, JObject claims)
        {
            return new Jwt
            {
                Algorithm = (string)header["alg"],
                Type = (string)header["typ"],
                Id = (string)claims["jti"],
                Issuer = (string)claims["iss"],
                Subject = (string)claims["sub"],
                Audiences = Texts(claims["aud"]),
                Claims = claims.Properties().ToDictionary(claim => claim.Name, claim => Texts(claim.Value)),
            };
        }

        static JObject Part(string text)
        {
            var base64 = text.Replace('-', '+').Replace('_', '/');
            var padding = new string('=', (4 - base64.Length % 4) % 4);
            return JObject.Parse(Encoding.UTF8.GetString(Convert.FromBase64String(base64 + padding)));
        }

        static string[] Texts(JToken token)
        {
            if (token == null) { return new string[0]; }
            return token is JArray ? token.Select(item => item.ToString()).ToArray() : new[] { token.ToString() };
        }
    }
}
