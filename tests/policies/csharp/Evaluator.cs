// Evaluates compiled policy expressions for the runner: one JSON object a line in, one out.
// While an expression runs it may ask back for a body: {"needs": "request"}, answered by {"body": base64}.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;
using System.Threading;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace ApiManagement
{
    static class Evaluator
    {
        static readonly Dictionary<int, IContext> runs = new Dictionary<int, IContext>();
        static readonly Dictionary<int, object> lastValues = new Dictionary<int, object>();
        static readonly Dictionary<string, Type> loaded = new Dictionary<string, Type>();
        static TextReader input;
        static TextWriter output;

        static void Main()
        {
            Thread.CurrentThread.CurrentCulture = CultureInfo.InvariantCulture;
            input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
            output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
            string line;
            while ((line = input.ReadLine()) != null) { Write(Answer(Read(line))); }
        }

        static JObject Read(string line)
        {
            var reader = new JsonTextReader(new StringReader(line)) { DateParseHandling = DateParseHandling.None };
            return JObject.Load(reader);
        }

        static void Write(JObject message) { output.WriteLine(message.ToString(Formatting.None)); }

        static JObject Answer(JObject order)
        {
            try { return Done(order); }
            catch (Exception error)
            {
                var cause = error is TargetInvocationException ? error.InnerException : error;
                return new JObject(new JProperty("error", cause.GetType().Name), new JProperty("message", cause.Message));
            }
        }

        static JObject Done(JObject order)
        {
            var run = (int?)order["run"] ?? 0;
            switch ((string)order["do"])
            {
                case "begin": runs[run] = new IContext(); Patch(runs[run], (JObject)order["context"]); return new JObject();
                case "evaluate": return Evaluated(run, order);
                case "set": runs[run].variables[(string)order["name"]] = Given(run, order); return new JObject();
                case "members": return new JObject(new JProperty("members", new JArray(Expressions(order).Select(each => new JArray(MembersUsed.By(each))))));
                case "end": runs.Remove(run); lastValues.Remove(run); return new JObject();
                default: throw new ArgumentException("unknown order " + order["do"]);
            }
        }

        static IEnumerable<MethodInfo> Expressions(JObject order)
        {
            return Assembly(order).GetMethods(BindingFlags.Static | BindingFlags.Public).OrderBy(each => int.Parse(each.Name.Substring(1)));
        }

        static Type Assembly(JObject order)
        {
            var path = (string)order["assembly"];
            if (!loaded.ContainsKey(path)) { loaded[path] = System.Reflection.Assembly.LoadFrom(path).GetType("ApiManagement.Expressions"); }
            return loaded[path];
        }

        static JObject Evaluated(int run, JObject order)
        {
            var context = runs[run];
            Patch(context, (JObject)order["patch"]);
            var value = Assembly(order).GetMethod((string)order["expression"]).Invoke(null, new object[] { context });
            lastValues[run] = value;
            return new JObject(
                new JProperty("type", value == null ? null : value.GetType().Name),
                new JProperty("text", AsText(value)),
                new JProperty("consumed", new JArray(Consumed(context))));
        }

        static IEnumerable<string> Consumed(IContext context)
        {
            if (context.Request.Body != null && context.Request.Body.Consumed) { yield return "request"; }
            if (context.Response != null && context.Response.Body.Consumed) { yield return "response"; }
        }

        static string AsText(object value)
        {
            var token = value as JToken;
            if (token != null && !(token is JValue)) { return token.ToString(Formatting.None); }
            return value == null ? "" : Convert.ToString(value, CultureInfo.InvariantCulture);
        }

        static object Given(int run, JObject order)
        {
            if (order["text"] != null) { return (string)order["text"]; }
            if (order["token"] != null) { return ((string)order["token"]).AsJwt(); }
            if (order["number"] != null) { return (int)order["number"]; }
            return lastValues[run];
        }

        static void Patch(IContext context, JObject patch)
        {
            foreach (var part in patch.Properties())
            {
                var value = part.Value as JObject;
                switch (part.Name)
                {
                    case "RequestId": context.RequestId = Guid.Parse((string)part.Value); break;
                    case "Api": context.Api = Filled(new IApi(), value); break;
                    case "Deployment": context.Deployment = Filled(new IDeployment(), value); break;
                    case "Operation": context.Operation = Filled(new IOperation(), value); break;
                    case "Product": context.Product = value == null ? null : Filled(new IProduct(), value); break;
                    case "Subscription": context.Subscription = value == null ? null : Filled(new ISubscription(), value); break;
                    case "LastError": context.LastError = value == null ? null : Filled(new ILastError(), value); break;
                    case "Request": context.Request = Request(value); break;
                    case "Response": context.Response = value == null ? null : Response(value); break;
                    default: throw new ArgumentException("context has no " + part.Name);
                }
            }
        }

        static T Filled<T>(T target, JObject members)
        {
            foreach (var member in members.Properties()) { typeof(T).GetProperty(member.Name).SetValue(target, (string)member.Value); }
            return target;
        }

        static IRequest Request(JObject request)
        {
            return new IRequest
            {
                Method = (string)request["Method"],
                Url = new IUrl((string)request["Url"]),
                OriginalUrl = new IUrl((string)request["OriginalUrl"]),
                IpAddress = "127.0.0.1",
                Headers = Headers((JObject)request["Headers"]),
                MatchedParameters = ((JObject)request["MatchedParameters"]).Properties().ToDictionary(each => each.Name, each => (string)each.Value),
                Body = (bool)request["HasBody"] ? new IMessageBody(() => Fetch("request"), (bool)request["Consumed"]) : null,
            };
        }

        static IResponse Response(JObject response)
        {
            return new IResponse
            {
                StatusCode = (int)response["StatusCode"],
                StatusReason = (string)response["StatusReason"],
                Headers = Headers((JObject)response["Headers"]),
                Body = new IMessageBody(() => Fetch("response"), (bool)response["Consumed"]),
            };
        }

        static Dictionary<string, string[]> Headers(JObject headers)
        {
            return headers.Properties().ToDictionary(
                each => each.Name, each => each.Value.Select(value => (string)value).ToArray(), StringComparer.OrdinalIgnoreCase);
        }

        static byte[] Fetch(string whose)
        {
            Write(new JObject(new JProperty("needs", whose)));
            return Convert.FromBase64String((string)Read(input.ReadLine())["body"]);
        }
    }
}
