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

/* Whether any four bytes come twice within the reach of deflate. */
static bool repeats_itself(const unsigned char *s, size_t len)
{
        enum { BITS = 15, REACH = 1 << 15 };
        cleanup_free uint32_t *last = mem_alloc(
            sizeof *last << BITS); /* position + 1 of the last with that hash */
        for (size_t i = 0; i + 4 <= len; i++) {
                uint32_t four;
                memcpy(&four, s + i, 4);
                uint32_t hash = (four * UINT32_C(2654435761)) >> (32 - BITS), before = last[hash];
                if (before > 0 && i + 1 - before <= REACH && memcmp(s + before - 1, s + i, 4) == 0)
                        return true;
                last[hash] = (uint32_t)i + 1;
        }
        return false;
}

static void add_little_endian(struct text *out, uint32_t n)
{
        for (int i = 0; i < 4; i++) text_addc(out, (char)(n >> 8 * i & 0xff));
}

/*
 * The blocks of deflate as Terraform's library writes them: what was compressed ends at a byte, and an empty block is the
 * last. Like it, matches are of four bytes or more, and the very first byte may begin one.
 */
static bool deflate_flushed(const unsigned char *s, size_t len, struct text *out)
{
        enum { RAW_WINDOW = -15, MEMORY = 8, ROOM = 64 };
        z_stream z = {.next_in = (unsigned char *)(uintptr_t)s, .avail_in = (uInt)len};
        int strategy = repeats_itself(s, len) ? Z_DEFAULT_STRATEGY : Z_HUFFMAN_ONLY;
        if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_WINDOW, MEMORY, strategy) != Z_OK)
                return false;
        /* zlib never finds what stands at offset 0 of its window: this byte, which nothing can refer to, does */
        deflateSetDictionary(&z, (const unsigned char *)"", 1);
        size_t room = deflateBound(&z, (uLong)len) + ROOM;
        cleanup_free unsigned char *packed = mem_alloc(room);
        z.next_out = packed;
        z.avail_out = (uInt)room;
        int result = deflate(&z, Z_SYNC_FLUSH);
        bool done = result == Z_OK && z.avail_in == 0 && z.avail_out > 0;
        text_addn(out, (const char *)packed, z.total_out);
        text_addn(out, "\x01\x00\x00\xff\xff", 5);
        deflateEnd(&z);
        return done;
}

/* gzip with neither time nor name in its header, so that the same text always gives the same result. */
static VALUE_OF(base64gzip)
{
        const unsigned char *s = (const unsigned char *)call_string(call, 0);
        size_t len = call_string_len(call, 0);
        struct text packed = {0}, out = {0};
        text_addn(&packed, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
        bool done = deflate_flushed(s, len, &packed);
        add_little_endian(&packed, (uint32_t)crc32(crc32(0, NULL, 0), s, (uInt)len));
        add_little_endian(&packed, (uint32_t)len);
        if (done) base64_encode(packed.data, packed.len, &out);
        text_release(&packed);
        return done ? call_text(&out) : call_refuse(err, "cannot compress");
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
