/* A private key and a text sealed with it, for the test of rsadecrypt alone; nothing else knows them. */
#ifndef TUTTI_TESTS_LANG_RSA_KEY_H
#define TUTTI_TESTS_LANG_RSA_KEY_H

#define KEY_LINES                                                             \
        "MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBALUjIUub8m3Mvss4\\n" \
        "HHiefa0+LRqPwbVEJJh3aa3DdQWARVzyYXae1rA3HR+XiQbnn/xD17lYuGmMu0c7\\n" \
        "+hSGhJ2v3y29t4N8Wm+Yg/Q0Esf09iTS6guyfSTpgbpQ8cGw/c3V4V64nSdhVfUM\\n" \
        "06MYlo0AytslE5nUflZ1xRYGWioVAgMBAAECgYBwkKdFTGFImL9MnM8cqimhuoze\\n" \
        "/806L2GqmjLDOD8FryPr0fh9ddIm6ekgU9RkxRZn92UdGqRne3x6lSwhC0Nni0hL\\n" \
        "lJovP29ugC/m3u6p3heQUaPPq/KD7txYd6e6rf+DjgPZjITnnjhEOoj85HTdaCJ/\\n" \
        "4e1YFkstj3N0LMCu4QJBANxRgpxKl+RA731iakswsSdKArFGmDwu1aZ+akC27E1d\\n" \
        "QtXJirg+nK69mYZrflz5suvc5/3dkiRfZyZuCZEDJP0CQQDSeScS4beE352DXXxQ\\n" \
        "jQADRk0uZ27DDCpUoVJwfRiMQ2jj+W7WDplCzb70UXScBaLkj6nSI2FOaDcO0RBX\\n" \
        "dvD5AkEA2+NaSSTFviD1JZ4Q2mSJmt3qHAaKMB7KS7aF03r+EyTObNMO6V5MQLao\\n" \
        "wJkOcDsi0PcUb7Ixhq3VJGzUjW+m/QJBAK2s+Vg0V5pWZ4Sh3NYfM5aAKWoUQarD\\n" \
        "XB7Pq9ZU86+yZFhSWGpcS417d4nluUKRyBOwlKJpPX9UsbIRQ9nYtQkCQFQVGkiw\\n" \
        "jVfI//WdQHgA1fbwDNPlrjB4rqdmzNNobz/zAW1YH/byQHyll8n++DiBGB7QWlsY\\n" \
        "v6n+dFimX9MZIeU=\\n"

#define TEST_SEALED                                                                        \
        "U514Nao+BEyWXMq++sp2w2jeJE1JGXmLXeqD59QIUmtK0C4e+Hmw15NOMS8yQtEGw1KycdQ0nm7m2Ojv" \
        "zI962SDY2GRbhYW/1SNzYJeJ6On5/khs6OzZm2ElYVCASNwPgGxLe3y6I3I4Jjjtz8qEgDSQtlFwyGIc" \
        "+/gtI1ZRI+4="

#endif
