/*
 * Functions that write values as text of some notation, or read them from it.
 */
#include "lang/call.h"

#include <string.h>
#include <zlib.h>

#include "lang/base64.h"
#include "lang/charset.h"
#include "lang/csv.h"
#include "lang/json_text.h"
#include "lang/yaml_value.h"

static VALUE_OF(base64encode)
{
        (void)err;
        struct text out = {0};
        base64_encode(call_string(call, 0), call_string_len(call, 0), &out);
        return call_text(&out);
}

static VALUE_OF(base64decode)
{
        __attribute__((__cleanup__(text_release_cleanup))) struct text out = {0};
        if (!base64_decode(call_string(call, 0), call_string_len(call, 0), &out))
                return call_refuse(err, "invalid value for \"str\": not valid base64");
        if (!text_is_utf8(out.data ? out.data : "", out.len))
                return call_refuse(err, "the result of decoding the string is not valid UTF-8");
        return call_text(&out);
}

/* gzip with neither time nor name in its header, so that the same text always gives the same result. */
static VALUE_OF(base64gzip)
{
        enum { GZIP_WINDOW = 15 + 16, MEMORY = 8 };
        z_stream z = {0};
        if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) !=
            Z_OK)
                return call_refuse(err, "cannot compress");
        gz_header header = {.os = 255};
        deflateSetHeader(&z, &header);
        size_t room = deflateBound(&z, (uLong)call_string_len(call, 0)) + 64;
        cleanup_free unsigned char *packed = mem_alloc(room);
        z.next_in = (unsigned char *)(uintptr_t)call_string(call, 0);
        z.avail_in = (uInt)call_string_len(call, 0);
        z.next_out = packed;
        z.avail_out = (uInt)room;
        int result = deflate(&z, Z_FINISH);
        deflateEnd(&z);
        if (result != Z_STREAM_END) return call_refuse(err, "cannot compress");
        struct text out = {0};
        base64_encode(packed, z.total_out, &out);
        return call_text(&out);
}

static VALUE_OF(csvdecode)
{
        return csv_decode(call_string(call, 0), call_string_len(call, 0), err);
}

/* The type depends on the text, so the value brings its own. */
static TYPE_OF(decoded)
{
        (void)call, (void)err;
        return type_ref(type_dynamic);
}

static VALUE_OF(jsondecode)
{
        return value_from_json(call_string(call, 0), call_string_len(call, 0), NULL, NULL, err);
}

static VALUE_OF(jsonencode)
{
        struct text out = {0};
        if (json_encode(call->args[0], &out, err) == 0) return call_text(&out);
        text_release(&out);
        return NULL;
}

static VALUE_OF(textencodebase64)
{
        const char *charset = call_string(call, 1);
        __attribute__((__cleanup__(text_release_cleanup))) struct text bytes = {0}, out = {0};
        if (!charset_known(charset))
                return call_refuse(err,
                    "invalid value for \"encoding\": \"%s\" is not a supported IANA encoding name", charset);
        if (!charset_encode(charset, call_string(call, 0), call_string_len(call, 0), &bytes))
                return call_refuse(
                    err, "invalid value for \"string\": has characters that %s does not", charset);
        base64_encode(bytes.data, bytes.len, &out);
        return call_text(&out);
}

static VALUE_OF(textdecodebase64)
{
        const char *charset = call_string(call, 1);
        __attribute__((__cleanup__(text_release_cleanup))) struct text bytes = {0}, out = {0};
        if (!charset_known(charset))
                return call_refuse(err,
                    "invalid value for \"encoding\": \"%s\" is not a supported IANA encoding name", charset);
        if (!base64_decode(call_string(call, 0), call_string_len(call, 0), &bytes))
                return call_refuse(err, "invalid value for \"source\": not valid base64");
        if (!charset_decode(charset, bytes.data ? bytes.data : "", bytes.len, &out))
                return call_refuse(
                    err, "invalid value for \"source\": has symbols that are not defined for %s", charset);
        return call_text(&out);
}

static VALUE_OF(urlencode)
{
        (void)err;
        const char *s = call_string(call, 0), *end = s + call_string_len(call, 0);
        struct text out = {0};
        for (; s < end; s++) {
                bool plain = (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
                             (*s >= 'A' && *s <= 'Z') || (*s && strchr("-_.~", *s));
                if (plain)
                        text_addc(&out, *s);
                else if (*s == ' ')
                        text_addc(&out, '+');
                else
                        text_addf(&out, "%%%02X", (unsigned char)*s);
        }
        return call_text(&out);
}

static VALUE_OF(yamldecode)
{
        return yaml_decode(call_string(call, 0), call_string_len(call, 0), err);
}

static VALUE_OF(yamlencode)
{
        struct text out = {0};
        if (yaml_encode(call->args[0], &out, err) == 0) return call_text(&out);
        text_release(&out);
        return NULL;
}

const struct function functions_encoding[] = {
    {.info = {"base64decode", "base64decode(str)", "The text that base64 stands for.",
         "base64decode(\"SGVsbG8=\") => \"Hello\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = base64decode_value},
    {.info = {"base64encode", "base64encode(str)", "Text in base64.",
         "base64encode(\"Hello\") => \"SGVsbG8=\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = base64encode_value},
    {.info = {"base64gzip", "base64gzip(str)", "Text compressed with gzip, in base64.",
         "startswith(base64gzip(\"Hello\"), \"H4sI\") => true"},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = base64gzip_value},
    {.info = {"csvdecode", "csvdecode(str)",
         "Comma-separated values, as a list of objects; the first line names the columns.",
         "csvdecode(\"a,b\\n1,2\\n\") => tolist([{a = \"1\", b = \"2\"}])"},
        .parameters = {{"str", "string", 0}},
        .result_type = decoded_type,
        .body = csvdecode_value},
    {.info = {"jsondecode", "jsondecode(str)", "The value that JSON stands for.",
         "jsondecode(\"[1, true]\") => [1, true]"},
        .parameters = {{"str", "string", 0}},
        .result_type = decoded_type,
        .body = jsondecode_value},
    {.info = {"jsonencode", "jsonencode(val)", "A value as JSON.",
         "jsonencode({a = [1]}) => \"{\\\"a\\\":[1]}\""},
        .parameters = {{"val", "any", PARAM_NULL}},
        .result = "string",
        .body = jsonencode_value},
    {.info = {"textdecodebase64", "textdecodebase64(source, encoding)",
         "The text that base64 stands for in a character encoding.",
         "textdecodebase64(\"SABpAA==\", \"UTF-16LE\") => \"Hi\""},
        .parameters = {{"source", "string", 0}, {"encoding", "string", 0}},
        .result = "string",
        .body = textdecodebase64_value},
    {.info = {"textencodebase64", "textencodebase64(string, encoding)",
         "Text in a character encoding, in base64.",
         "textencodebase64(\"Hi\", \"UTF-16LE\") => \"SABpAA==\""},
        .parameters = {{"string", "string", 0}, {"encoding", "string", 0}},
        .result = "string",
        .body = textencodebase64_value},
    {.info = {"urlencode", "urlencode(str)", "Text for the query of a URL.",
         "urlencode(\"a b&c\") => \"a+b%26c\""},
        .parameters = {{"str", "string", 0}},
        .result = "string",
        .body = urlencode_value},
    {.info = {"yamldecode", "yamldecode(src)", "The value that YAML stands for.",
         "yamldecode(\"{a: [1, x]}\") => {a = [1, \"x\"]}"},
        .parameters = {{"src", "string", 0}},
        .result_type = decoded_type,
        .body = yamldecode_value},
    {.info = {"yamlencode", "yamlencode(value)", "A value as YAML in block style.",
         "yamlencode({a = [\"b\"]}) => \"\\\"a\\\":\\n- \\\"b\\\"\\n\""},
        .parameters = {{"value", "any", PARAM_NULL}},
        .result = "string",
        .body = yamlencode_value},
    {.info = {0}},
};
