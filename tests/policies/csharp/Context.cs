// What API Management offers to a policy expression as `context`, and nothing more: a member that is
// not in its reference does not compile. Source: learn.microsoft.com, "API Management policy expressions".
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Text;
using System.Xml.Linq;
using Newtonsoft.Json.Linq;

namespace ApiManagement
{
    public sealed class IContext
    {
        internal readonly Dictionary<string, object> variables = new Dictionary<string, object>();
        internal readonly System.Diagnostics.Stopwatch sinceArrival = System.Diagnostics.Stopwatch.StartNew();

        internal IContext() { }

        public IApi Api { get; internal set; }
        public IDeployment Deployment { get; internal set; }
        public TimeSpan Elapsed { get { return sinceArrival.Elapsed; } }
        public ILastError LastError { get; internal set; }
        public IOperation Operation { get; internal set; }
        public IProduct Product { get; internal set; }
        public IRequest Request { get; internal set; }
        public Guid RequestId { get; internal set; }
        public IResponse Response { get; internal set; }
        public ISubscription Subscription { get; internal set; }
        public DateTime Timestamp { get; internal set; }
        public bool Tracing { get; internal set; }
        public IReadOnlyDictionary<string, object> Variables { get { return variables; } }
    }

    public sealed class IApi
    {
        internal IApi() { }

        public string Id { get; internal set; }
        public string Name { get; internal set; }
        public string Path { get; internal set; }
    }

    public sealed class IDeployment
    {
        internal IDeployment() { }

        public string GatewayId { get; internal set; }
        public string Region { get; internal set; }
        public string ServiceName { get; internal set; }
    }

    public sealed class ILastError
    {
        internal ILastError() { }

        public string Source { get; internal set; }
        public string Reason { get; internal set; }
        public string Message { get; internal set; }
        public string Scope { get; internal set; }
        public string Section { get; internal set; }
        public string Path { get; internal set; }
        public string PolicyId { get; internal set; }
    }

    public sealed class IOperation
    {
        internal IOperation() { }

        public string Id { get; internal set; }
        public string Method { get; internal set; }
        public string Name { get; internal set; }
        public string UrlTemplate { get; internal set; }
    }

    public sealed class IProduct
    {
        internal IProduct() { }

        public string Id { get; internal set; }
        public string Name { get; internal set; }
    }

    public sealed class ISubscription
    {
        internal ISubscription() { }

        public string Id { get; internal set; }
        public string Key { get; internal set; }
        public string Name { get; internal set; }
    }

    public sealed class IRequest
    {
        internal IRequest() { }

        public IMessageBody Body { get; internal set; }
        public IReadOnlyDictionary<string, string[]> Headers { get; internal set; }
        public string IpAddress { get; internal set; }
        public IReadOnlyDictionary<string, string> MatchedParameters { get; internal set; }
        public string Method { get; internal set; }
        public IUrl OriginalUrl { get; internal set; }
        public IUrl Url { get; internal set; }
    }

    public sealed class IResponse
    {
        internal IResponse() { }

        public IMessageBody Body { get; internal set; }
        public IReadOnlyDictionary<string, string[]> Headers { get; internal set; }
        public int StatusCode { get; internal set; }
        public string StatusReason { get; internal set; }
    }

    public sealed class IUrl
    {
        internal IUrl(string url)
        {
            var uri = new Uri(url);
            Scheme = uri.Scheme;
            Host = uri.Host;
            Port = uri.Port;
            Path = uri.AbsolutePath;
            QueryString = uri.Query;
            Query = uri.Query.TrimStart('?').Split('&').Where(pair => pair != "")
                .Select(pair => pair.Split(new[] { '=' }, 2))
                .GroupBy(pair => WebUtility.UrlDecode(pair[0]))
                .ToDictionary(
                    group => group.Key,
                    group => group.Select(pair => pair.Length > 1 ? WebUtility.UrlDecode(pair[1]) : "").ToArray());
        }

        public string Scheme { get; private set; }
        public string Host { get; private set; }
        public int Port { get; private set; }
        public string Path { get; private set; }
        public string QueryString { get; private set; }
        public IReadOnlyDictionary<string, string[]> Query { get; private set; }

        public override string ToString()
        {
            return Scheme + "://" + Host + ":" + Port + Path + QueryString;
        }
    }

    // The body is fetched when an expression asks for it: only then does the gateway hold a response back.
    public sealed class IMessageBody
    {
        readonly Func<byte[]> fetch;
        internal bool Consumed { get; private set; }

        internal IMessageBody(Func<byte[]> fetch, bool consumed)
        {
            this.fetch = fetch;
            Consumed = consumed;
        }

        public T As<T>(bool preserveContent = false)
        {
            if (Consumed) { throw new InvalidOperationException("the body was read before, without preserveContent: true"); }
            Consumed = !preserveContent;
            return (T)Read(typeof(T), fetch());
        }

        static object Read(Type type, byte[] content)
        {
            if (type == typeof(byte[])) { return content; }
            var text = new StreamReader(new MemoryStream(content), new UTF8Encoding(false)).ReadToEnd();
            if (type == typeof(string)) { return text; }
            if (type == typeof(JObject)) { return JObject.Parse(text); }
            if (type == typeof(JArray)) { return JArray.Parse(text); }
            if (type == typeof(JToken)) { return JToken.Parse(text); }
            if (type == typeof(XElement)) { return XElement.Parse(text); }
            if (type == typeof(XDocument) || type == typeof(XNode)) { return XDocument.Parse(text); }
            throw new NotSupportedException("As<" + type.Name + ">");
        }
    }
}
