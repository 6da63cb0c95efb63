/*
 * Signature Version 4 against the cases of AWS's published test suite (aws-sig-v4-test-suite): requests and the signatures
 * that AWS gives for them. "unnormalized" cases sign the path as it is sent, which is what S3 wants.
 */
#include "providers/rest/sigv4.h"
#include "tap.h"

struct suite_case {
        const char *name, *method;
        const char *path;    /* as it stands in the suite's request */
        const char *query;   /* in URL form, escaped */
        const char *headers; /* "Name:value\n", besides Host and X-Amz-Date */
        const char *body;
        bool unnormalized;
        const char *signature;
};

#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
#define STS_TOKEN                                                                                         \
        "AQoDYXdzEPT//////////"                                                                           \
        "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"   \
        "x7mSEI/qkPpKPi/"                                                                                 \
        "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVX" \
        "AkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"                                                   \
        "scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
#define BODY_SHA "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"

static const struct suite_case cases[] = {
    {"get-header-key-duplicate", "GET", "/", "", "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n",
        "", false, "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-multiline", "GET", "/", "", "My-Header1:value1\t  value2\t     value3\n", "", false,
        "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
    {"get-header-value-order", "GET", "/", "",
        "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n", "", false,
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim", "GET", "/", "", "My-Header1: value1\nMy-Header2: \"a   b   c\"\n", "", false,
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-relative-normalized", "GET", "/example/..", "", "", "", false,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative-normalized", "GET", "/example1/example2/../..", "", "", "", false,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative-unnormalized", "GET", "/example1/example2/../..", "", "", "", true,
        "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"},
    {"get-relative-unnormalized", "GET", "/example/..", "", "", "", true,
        "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"},
    {"get-slash-dot-slash-normalized", "GET", "/./", "", "", "", false,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash-unnormalized", "GET", "/./", "", "", "", true,
        "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"},
    {"get-slash-normalized", "GET", "//", "", "", "", false,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot-normalized", "GET", "/./example", "", "", "", false,
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slash-pointless-dot-unnormalized", "GET", "/./example", "", "", "", true,
        "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"},
    {"get-slash-unnormalized", "GET", "//", "", "", "", true,
        "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e"},
    {"get-slashes-normalized", "GET", "//example//", "", "", "", false,
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-slashes-unnormalized", "GET", "//example//", "", "", "", true,
        "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
    {"get-space-normalized", "GET", "/example space/", "", "", "", false,
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-space-unnormalized", "GET", "/example space/", "", "", "", true,
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-unreserved", "GET", "/" UNRESERVED, "", "", "", false,
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8", "GET", "/\u1234", "", "", "", false,
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-vanilla", "GET", "/", "", "", "", false,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key", "GET", "/", "Param1=value1", "", "", false,
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-encoded", "GET", "/", "Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "",
        false, "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", "", "", false,
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-unreserved", "GET", "/", UNRESERVED "=" UNRESERVED, "", "", false,
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query", "GET", "/", "%E1%88%B4=bar", "", "", false,
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-with-session-token", "GET", "/", "", "X-Amz-Security-Token:" TOKEN "\n", "", false,
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"post-header-key-case", "POST", "/", "", "", "", false,
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort", "POST", "/", "", "My-Header1:value1\n", "", false,
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case", "POST", "/", "", "My-Header1:VALUE1\n", "", false,
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-sts-header-before", "POST", "/", "", "X-Amz-Security-Token:" STS_TOKEN "\n", "", false,
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-vanilla-query", "POST", "/", "Param1=value1", "", "", false,
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-x-www-form-urlencoded", "POST", "/", "",
        "Content-Type:application/x-www-form-urlencoded\nContent-Length:13\nX-Amz-Content-Sha256:" BODY_SHA
        "\n",
        "Param1=value1", false, "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/", "",
        "Content-Type:application/x-www-form-urlencoded; "
        "charset=utf-8\nContent-Length:13\nX-Amz-Content-Sha256:" BODY_SHA "\n",
        "Param1=value1", false, "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422"},
};

/* Headers may repeat here, which headers_set does not allow. */
static void add_header(struct header_list *h, const char *name, const char *value)
{
        h->items = util_grow(h->items, h->count + 1, sizeof *h->items);
        h->items[h->count++] = (struct header_item){util_format("%s", name), util_format("%s", value)};
}

static void add_headers(struct header_list *h, const char *text)
{
        add_header(h, "Host", "example.amazonaws.com");
        add_header(h, "X-Amz-Date", "20150830T123600Z");
        for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
                size_t name = strcspn(line, ":"), len = strcspn(line, "\n");
                AUTO_CHAR n = util_format("%.*s", (int)name, line);
                AUTO_CHAR v = util_format("%.*s", (int)(len - name - 1), line + name + 1);
                add_header(h, n, v);
        }
}

static const struct sigv4 suite = {.access_key = "AKIDEXAMPLE",
    .secret_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "service",
    .time = "20150830T123600Z"};

static void test_case(const struct suite_case *c)
{
        struct outgoing o = {.method = c->method};
        AUTO_CHAR problem = NULL;
        AUTO_CHAR url = util_format("https://example.amazonaws.com/?%s", c->query);
        url_parse(&o.url, url, &problem);
        free(o.url.path);
        struct buf path = {0};
        if (c->unnormalized)
                url_escape_path(&path, c->path); /* as it is sent */
        else
                buf_text(&path, c->path);
        o.url.path = buf_steal(&path);
        add_headers(&o.headers, c->headers);
        buf_text(&o.body, c->body);
        struct sigv4 s = suite;
        s.s3 = c->unnormalized;
        AUTO_CHAR authorization = sigv4_authorization(&s, &o);
        const char *got = strstr(authorization, "Signature=");
        if (!is_str(got ? got + 10 : NULL, c->signature, c->name)) {
                AUTO_CHAR canonical = sigv4_canonical(&s, &o);
                fprintf(stderr, "%s\n", canonical);
        }
        outgoing_release(&o);
}

/* The worked example of the S3 documentation: GET /test.txt with a Range header. */
static void test_s3(void)
{
        struct outgoing o = {.method = "GET"};
        AUTO_CHAR problem = NULL;
        url_parse(&o.url, "https://examplebucket.s3.amazonaws.com/test.txt", &problem);
        headers_set(&o.headers, "Range", "bytes=0-9");
        struct sigv4 s = {.access_key = "AKIAIOSFODNN7EXAMPLE",
            .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            .region = "us-east-1",
            .service = "s3",
            .time = "20130524T000000Z",
            .s3 = true};
        sigv4_sign(&s, &o);
        is_str(headers_get(&o.headers, "authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            "S3's worked example, through sigv4_sign");
        outgoing_release(&o);
}

static void test_port_and_token(void)
{
        struct outgoing o = {.method = "GET"};
        AUTO_CHAR problem = NULL;
        url_parse(&o.url, "http://127.0.0.1:25000/", &problem);
        headers_set(&o.headers, "User-Agent", "tutti");
        struct sigv4 s = suite;
        s.session_token = "T";
        sigv4_sign(&s, &o);
        is_str(headers_get(&o.headers, "host"), "127.0.0.1:25000", "a port stands in the Host header");
        ok(strstr(headers_get(&o.headers, "authorization"),
               "SignedHeaders=host;x-amz-date;x-amz-security-token, ") != NULL,
            "the session token is signed, the user agent is not");
        outgoing_release(&o);
        url_parse(&o.url, "https://example.com:443/", &problem);
        AUTO_CHAR host = url_host(&o.url);
        is_str(host, "example.com", "the scheme's own port does not");
        url_release(&o.url);
}

int main(void)
{
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) test_case(&cases[i]);
        test_s3();
        test_port_and_token();
        return done();
}
