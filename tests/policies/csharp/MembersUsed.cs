// Every member of .NET that a compiled expression touches, read from its instructions.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Reflection.Emit;

namespace ApiManagement
{
    static class MembersUsed
    {
        static readonly Dictionary<short, OpCode> codes = typeof(OpCodes).GetFields()
            .Select(field => (OpCode)field.GetValue(null)).ToDictionary(code => code.Value);

        // "System.String::Split": the expression's own closures and lambdas are followed, not named.
        public static IEnumerable<string> By(MethodInfo expression)
        {
            var used = new SortedSet<string>(StringComparer.Ordinal);
            var seen = new HashSet<MethodBase> { expression };
            var open = new Queue<MethodBase>(seen);
            while (open.Count > 0)
            {
                foreach (var member in Touched(open.Dequeue()))
                {
                    var method = member as MethodBase;
                    var type = member as Type ?? member.DeclaringType;
                    if (type.Assembly != expression.DeclaringType.Assembly) { Note(used, member, type); }
                    else if (method != null && seen.Add(method)) { open.Enqueue(method); }
                }
            }
            return used;
        }

        static void Note(ISet<string> used, MemberInfo member, Type type)
        {
            if (type.Namespace == "ApiManagement") { return; }
            var owner = type.IsArray ? typeof(Array) : type.IsGenericType ? type.GetGenericTypeDefinition() : type;
            used.Add(owner.FullName + (member is Type ? "" : "::" + member.Name));
        }

        static IEnumerable<MemberInfo> Touched(MethodBase method)
        {
            var body = method.GetMethodBody();
            if (body == null) { yield break; }
            var il = body.GetILAsByteArray();
            var ofType = method.DeclaringType.IsGenericType ? method.DeclaringType.GetGenericArguments() : null;
            var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
            for (var at = 0; at < il.Length;)
            {
                var code = codes[il[at] == 0xfe ? unchecked((short)(0xfe00 | il[at + 1])) : il[at]];
                at += code.Size;
                if (Names(code)) { yield return method.Module.ResolveMember(BitConverter.ToInt32(il, at), ofType, ofMethod); }
                at += OperandBytes(code, il, at);
            }
        }

        static bool Names(OpCode code)
        {
            return code.OperandType == OperandType.InlineMethod || code.OperandType == OperandType.InlineField
                || code.OperandType == OperandType.InlineTok || code.OperandType == OperandType.InlineType;
        }

        static int OperandBytes(OpCode code, byte[] il, int at)
        {
            switch (code.OperandType)
            {
                case OperandType.InlineNone: return 0;
                case OperandType.ShortInlineBrTarget:
                case OperandType.ShortInlineI:
                case OperandType.ShortInlineVar: return 1;
                case OperandType.InlineVar: return 2;
                case OperandType.InlineI8:
                case OperandType.InlineR: return 8;
                case OperandType.InlineSwitch: return 4 + 4 * BitConverter.ToInt32(il, at);
                default: return 4;
            }
        }
    }
}
