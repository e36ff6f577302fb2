/* JSON, character by character; see json_scan.h. */
#include "json_scan.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 32 };

gyre_status json_scan_expected(const json_scan *s, const char *what) {
    char found[32] = "its end";
    if (s->at < s->end) {
        size_t left = (size_t)(s->end - s->at);
        snprintf(found, sizeof found, "'%.*s'", (int)(left < 16 ? left : 16), s->at);
    }
    return gyre_fail(GYRE_EIO, "'%s': byte %zu of its JSON: %s was expected, found %s", s->path,
                     (size_t)(s->at - s->begin), what, found);
}

static void skip_space(json_scan *s) {
    while (s->at < s->end && *s->at != '\0' && strchr(" \t\r\n", *s->at) != NULL) s->at++;
}

bool json_scan_take(json_scan *s, char c) {
    skip_space(s);
    if (s->at == s->end || *s->at != c) return false;
    s->at++;
    return true;
}

gyre_status json_scan_need(json_scan *s, char c) {
    char what[] = {'\'', c, '\'', '\0'};
    return json_scan_take(s, c) ? GYRE_OK : json_scan_expected(s, what);
}

/* ---- strings */

typedef struct {
    char *out;
    size_t size, used;
} sink;

static gyre_status put(const json_scan *s, sink *to, char c) {
    if (to->used + 1 >= to->size) {
        return gyre_fail(GYRE_EIO,
                         "'%s': byte %zu of its JSON: a text of at most %zu bytes was expected",
                         s->path, (size_t)(s->at - s->begin), to->size - 1);
    }
    to->out[to->used++] = c;
    return GYRE_OK;
}

static gyre_status put_utf8(const json_scan *s, sink *to, uint32_t code) {
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint32_t heads[] = {0, 0xc0, 0xe0, 0xf0};
    GYRE_TRY(put(s, to, (char)(heads[more] | code >> (6 * more))));
    for (int i = more - 1; i >= 0; i--) {
        GYRE_TRY(put(s, to, (char)(0x80 | (code >> (6 * i) & 0x3f))));
    }
    return GYRE_OK;
}

static gyre_status four_digits(json_scan *s, uint32_t *out) {
    static const char digits[] = "0123456789abcdef";
    *out = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        const char c = s->at < s->end ? *s->at : '\0';
        const char lower = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
        const char *digit = lower == '\0' ? NULL : strchr(digits, lower);
        if (digit == NULL) return json_scan_expected(s, "a hexadecimal digit");
        *out = *out << 4 | (uint32_t)(digit - digits);
    }
    return GYRE_OK;
}

/* Behind "\u"; two of them may be halves of one character. */
static gyre_status put_unicode(json_scan *s, sink *to) {
    uint32_t code = 0, low = 0;
    GYRE_TRY(four_digits(s, &code));
    const bool high = code >= 0xd800 && code < 0xdc00;
    if (high && s->end - s->at >= 2 && s->at[0] == '\\' && s->at[1] == 'u') {
        s->at += 2;
        GYRE_TRY(four_digits(s, &low));
        if (low < 0xdc00 || low > 0xdfff) return json_scan_expected(s, "the second of two halves");
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff)) {
        return json_scan_expected(s, "a character of Unicode other than zero");
    }
    return put_utf8(s, to, code);
}

static gyre_status put_escape(json_scan *s, sink *to) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char c = s->at < s->end ? *s->at : '\0';
    if (c == 'u') {
        s->at++;
        return put_unicode(s, to);
    }
    const char *name = c == '\0' ? NULL : strchr(names, c);
    if (name == NULL) return json_scan_expected(s, "an escape of JSON");
    s->at++;
    return put(s, to, values[name - names]);
}

gyre_status json_scan_string(json_scan *s, char *out, size_t size) {
    sink to = {out, size, 0};
    if (!json_scan_take(s, '"')) return json_scan_expected(s, "a text in quotes");
    for (;;) {
        if (s->at == s->end) return json_scan_expected(s, "a closing quote");
        const char c = *s->at;
        if ((unsigned char)c < ' ') return json_scan_expected(s, "a printable character");
        s->at++;
        if (c == '"') break;
        GYRE_TRY(c == '\\' ? put_escape(s, &to) : put(s, &to, c));
    }
    out[to.used] = '\0';
    return GYRE_OK;
}

/* ---- numbers */

static bool is_digit(const json_scan *s) {
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

gyre_status json_scan_whole(json_scan *s, uint64_t *out) {
    static const char what[] = "a whole number of 0 to 18446744073709551615";
    *out = 0;
    skip_space(s);
    const char *first = s->at;
    for (; is_digit(s); s->at++) {
        uint64_t digit = (uint64_t)(*s->at - '0');
        if (__builtin_mul_overflow(*out, (uint64_t)10, out) ||
            __builtin_add_overflow(*out, digit, out)) {
            s->at = first;
            return json_scan_expected(s, what);
        }
    }
    const bool zero_before = s->at - first > 1 && *first == '0';
    const bool other = s->at < s->end && *s->at != '\0' && strchr(".eE", *s->at) != NULL;
    if (s->at > first && !zero_before && !other) return GYRE_OK;
    s->at = first;
    return json_scan_expected(s, what);
}

/* ---- anything */

/* A number, true, false or null: whatever its characters are, nothing depends on them. */
static gyre_status skip_word(json_scan *s) {
    const char *first = s->at;
    while (s->at < s->end && *s->at != '\0' && strchr(",]} \t\r\n", *s->at) == NULL) s->at++;
    return s->at > first ? GYRE_OK : json_scan_expected(s, "a value");
}

static gyre_status skip_text(json_scan *s) {
    s->at++;
    for (; s->at < s->end && *s->at != '"'; s->at++) {
        if (*s->at == '\\' && s->at + 1 < s->end) s->at++;
    }
    return json_scan_need(s, '"');
}

gyre_status json_scan_more(json_scan *s, char close, bool *first, bool *more) {
    *more = !json_scan_take(s, close);
    if (*more && !*first) GYRE_TRY(json_scan_need(s, ','));
    *first = false;
    return GYRE_OK;
}

static gyre_status skip_members(json_scan *s, char close) {
    bool first = true, more = false;
    if (++s->depth > DEPTH_MAX) return json_scan_expected(s, "nesting of at most 32 levels");
    for (;;) {
        GYRE_TRY(json_scan_more(s, close, &first, &more));
        if (!more) break;
        if (close == '}') {
            if (!json_scan_take(s, '"')) return json_scan_expected(s, "a key in quotes");
            s->at--;
            GYRE_TRY(skip_text(s));
            GYRE_TRY(json_scan_need(s, ':'));
        }
        GYRE_TRY(json_scan_skip(s));
    }
    s->depth--;
    return GYRE_OK;
}

gyre_status json_scan_skip(json_scan *s) {
    skip_space(s);
    const char c = s->at < s->end ? *s->at : '\0';
    if (c == '"') return skip_text(s);
    if (c != '{' && c != '[') return skip_word(s);
    s->at++;
    return skip_members(s, c == '{' ? '}' : ']');
}

gyre_status json_scan_end(json_scan *s) {
    skip_space(s);
    return s->at == s->end ? GYRE_OK : json_scan_expected(s, "nothing more");
}
