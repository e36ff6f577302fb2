/* Text for terminals and messages: what would not be seen is escaped, lines are cut and wrapped. */
#include "gyre/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Line and paragraph separators, and what reorders the text behind it on a terminal ("Trojan
 * Source"). The marks that names in Arabic or Hebrew may need (U+200E, U+200F) turn nothing round.
 */
static bool misleads(unsigned code) {
    return code == 0x2028 || code == 0x2029 || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

/* Bytes of the UTF-8 character at `s` (RFC 3629: no overlong forms, surrogates or anything above
 * U+10FFFF), 0 when there is none, or a character that would not be seen as what it is. */
static size_t character_at(const unsigned char *s) {
    static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (s[0] < 0x80) return s[0] >= 0x20 && s[0] != 0x7f;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
    unsigned code = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0; /* also the end of the string */
        code = code << 6 | (s[i] & 0x3fu);
    }
    bool control = code < 0xa0, surrogate = code >= 0xd800 && code < 0xe000;
    bool wrong = code < least[length] || code > 0x10ffff || control || surrogate;
    return wrong || misleads(code) ? 0 : length;
}

size_t gyre_text_visible(const char *bytes, char *out, size_t size) {
    const unsigned char *s = (const unsigned char *)bytes;
    size_t whole = 0, used = 0;
    for (size_t taken; *s != '\0'; s += taken) {
        char escape[5];
        size_t length = character_at(s);
        taken = length > 0 ? length : 1;
        if (length == 0) length = (size_t)snprintf(escape, sizeof escape, "\\x%02X", *s);
        if (used == whole && used + length < size) {
            memcpy(out + used, length == taken ? (const char *)s : escape, length);
            used += length;
        }
        whole += length;
    }
    if (size > 0) out[used] = '\0';
    return whole;
}

void gyre_text_cut(char *text) {
    size_t length = strlen(text), end = length;
    while (end > 0 && length - end < 3 && ((unsigned char)text[end - 1] & 0xc0) == 0x80) end--;
    if (end == 0 || (unsigned char)text[end - 1] < 0xc0) return; /* no character of several bytes */
    if (character_at((const unsigned char *)text + end - 1) == 0) text[end - 1] = '\0';
}

void gyre_text_add_list(char *out, size_t size, const char *format, va_list args) {
    size_t used = strlen(out), room = size - used;
    int length = vsnprintf(out + used, room, format, args);
    if (length < 0 || (size_t)length >= room) gyre_text_cut(out);
}

void gyre_text_add(char *out, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    gyre_text_add_list(out, size, format, args);
    va_end(args);
}

char *gyre_text_word(const char *text, const char *otherwise, char *out, size_t size) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./,:=@%+-";
    bool quoted = text[0] == '\0' || text[strspn(text, plain)] != '\0';
    const char *quote = quoted ? "'" : "";
    size_t used = (size_t)snprintf(out, size, "%s", quote);
    for (const char *c = text; *c != '\0' && used < size; c++) {
        used += (size_t)snprintf(out + used, size - used, *c == '\'' ? "'\\''" : "%c", *c);
    }
    if (used < size) used += (size_t)snprintf(out + used, size - used, "%s", quote);
    if (used >= size) snprintf(out, size, "%s", otherwise);
    return out;
}

char *gyre_text_shorten(char *text, size_t most) {
    static const char mark[] = "...";
    if (strlen(text) <= most) return text;
    text[most - (sizeof mark - 1)] = '\0';
    gyre_text_cut(text);
    memcpy(text + strlen(text), mark, sizeof mark);
    return text;
}

const char *gyre_text_article(const char *noun) {
    return noun[0] != '\0' && strchr("aeiou", noun[0]) != NULL ? "an" : "a";
}

void gyre_text_print(FILE *out, const char *bytes, int width) {
    int columns = 0;
    for (const char *s = bytes; *s != '\0'; columns++) {
        size_t length = character_at((const unsigned char *)s);
        if (length == 0) {
            columns += fprintf(out, "\\x%02X", (unsigned char)*s++) - 1;
        } else {
            fwrite(s, 1, length, out);
            s += length;
        }
    }
    fprintf(out, "%*s", width > columns ? width - columns : 0, "");
}

/* Bytes of the word at `text`; what stands in brackets stays together. */
static int word_length(const char *text) {
    size_t bracket = *text == '[' ? strcspn(text, "]\n") : 0;
    return (int)(bracket + strcspn(text + bracket, " \n"));
}

void gyre_text_wrap(FILE *out, const char *text, int at, int indent, int width) {
    bool begun = false; /* the line has a word of this text */
    while (*text != '\0') {
        int word = word_length(text);
        if (begun && at + 1 + word > width) {
            at = fprintf(out, "\n%*s", indent, "") - 1;
            begun = false;
        }
        at += fprintf(out, "%s%.*s", begun && word > 0 ? " " : "", word, text);
        begun = begun || word > 0;
        text += word;
        if (*text == '\n') {
            at = fprintf(out, "\n%*s", text[1] == '\n' ? 0 : indent, "") - 1;
            begun = false;
        }
        if (*text != '\0') text++;
    }
    fputc('\n', out);
}
