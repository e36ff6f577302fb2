/* Escaped text, tables, and gnuplot's SVG taken over into a page. */
#include "html.h"

#include "gyre/file.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light}*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:1180px;padding:1.2rem;font:16px/1.5 system-ui,sans-serif;"
    "color:#202428;background:#fff}\n"
    "h1{font-size:1.35rem;margin:0 0 .6rem;color:#505860;font-weight:600}\n"
    "h2{font-size:1.25rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid #d4d9de}\n"
    "h3{font-size:1.05rem;margin:1.4rem 0 .4rem}\n"
    "p{margin:.4rem 0;max-width:75ch}ul{margin:.4rem 0;padding-left:1.2rem;max-width:80ch}\n"
    ".verdict{font-size:1.5rem;line-height:1.3;font-weight:650;max-width:62ch;text-wrap:balance;"
    "margin:.3rem 0}\n"
    ".verdict::first-letter,.sentences li::first-letter{text-transform:uppercase}\n"
    ".choice{font-size:1.1rem}.facts,.note,figcaption{color:#5a636c;font-size:.9rem}\n"
    ".warning{border-left:4px solid #d55e00;padding:.2rem .7rem;background:#fdf3ea}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));"
    "gap:1rem;align-items:start}\n"
    "figure{margin:0}figure svg{display:block;width:100%;height:auto;max-width:620px}\n"
    "figure img{display:block;max-width:100%;height:auto}\n"
    "figcaption{margin:.1rem 0 .4rem;font-weight:600;color:#303840}\n"
    ".scroll{overflow-x:auto;margin:.5rem 0}\n"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.28rem .6rem;border-bottom:1px solid #e3e6ea;text-align:left;"
    "vertical-align:top}\n"
    "th{border-bottom:2px solid #b8c0c8;vertical-align:bottom;font-weight:600}\n"
    "td.n{text-align:right;white-space:nowrap}td:not(.n){min-width:6.5rem}\n"
    "tr.control td{background:#f5f6f7}tr.planned td,tr.leader td{font-weight:650}\n"
    "tr.better td:nth-child(8){color:#00588a}tr.worse td:nth-child(8){color:#a84300}\n"
    "details{margin:.5rem 0}summary{cursor:pointer;color:#5a636c}\n"
    "@media (max-width:600px){body{padding:.8rem}.verdict{font-size:1.2rem}"
    "table{font-size:.8rem}th,td{padding:.25rem .4rem}}\n"
    "@media print{@page{margin:14mm}body{max-width:none;padding:0;font-size:10.5pt}"
    "h2,h3{break-after:avoid}figure,tr{break-inside:avoid}.scroll{overflow:visible}"
    "table{font-size:8.5pt}.verdict{font-size:16pt}.figures{grid-template-columns:1fr 1fr}"
    "th,td{padding:.15rem .35rem}td:not(.n){min-width:0}}\n";

void report_html_begin(FILE *f, const char *title) {
    fputs("<!DOCTYPE html>\n<!-- gyre report -->\n"
          "<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n",
          f);
    report_html_element(f, "title", title);
    fprintf(f, "<style>\n%s</style></head>\n<body>\n", style);
}

void report_html_end(FILE *f) {
    fputs("</body></html>\n", f);
}

/* ---- text */

/* Bytes of the UTF-8 letter at `c`; 0 when there is none (RFC 3629: no overlong forms, surrogates
 * or letters above U+10FFFF). */
static size_t letter(const unsigned char *c) {
    if (c[0] < 0x80) return 1;
    size_t size = c[0] >= 0xF0 ? 4 : c[0] >= 0xE0 ? 3 : 2;
    if (c[0] < 0xC2 || c[0] > 0xF4) return 0;
    for (size_t i = 1; i < size; i++) {
        if ((c[i] & 0xC0) != 0x80) return 0; /* also at the end of the text */
    }
    bool overlong = (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xF0 && c[1] < 0x90);
    bool outside = (c[0] == 0xED && c[1] > 0x9F) || (c[0] == 0xF4 && c[1] > 0x8F);
    return overlong || outside ? 0 : size;
}

void report_html_text(FILE *f, const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    while (*c != '\0') {
        size_t size = letter(c);
        bool control = (*c < ' ' && *c != '\n') || *c == 0x7F;
        switch (*c) {
        case '&': fputs("&amp;", f); break;
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '"': fputs("&quot;", f); break;
        case '\'': fputs("&#39;", f); break;
        default:
            if (size == 0 || control) {
                fputs("\xEF\xBF\xBD", f); /* U+FFFD */
            } else {
                fwrite(c, 1, size, f);
            }
        }
        c += size == 0 ? 1 : size;
    }
}

void report_html_element(FILE *f, const char *tag, const char *text) {
    fprintf(f, "<%s>", tag);
    report_html_text(f, text);
    fprintf(f, "</%.*s>\n", (int)strcspn(tag, " "), tag);
}

/* ---- tables */

void report_html_table_begin(FILE *f, const char *heads) {
    fputs("<div class=\"scroll\"><table>\n<thead><tr>", f);
    for (const char *c = heads;; c++) {
        size_t size = strcspn(c, "|");
        fprintf(f, "<th>%.*s</th>", (int)size, c);
        c += size;
        if (*c == '\0') break;
    }
    fputs("</tr></thead>\n<tbody>\n", f);
}

void report_html_table_end(FILE *f) {
    fputs("</tbody></table></div>\n", f);
}

void report_html_row_begin(FILE *f, const char *kind) {
    fprintf(f, "<tr%s%s%s>", *kind == '\0' ? "" : " class=\"", kind, *kind == '\0' ? "" : "\"");
}

void report_html_row_end(FILE *f) {
    fputs("</tr>\n", f);
}

void report_html_cell_text(FILE *f, const char *text) {
    fputs("<td>", f);
    report_html_text(f, text);
    fputs("</td>", f);
}

/* A hyphen before a digit becomes a minus sign, which is as wide as a plus. */
static void print_number(FILE *f, const char *format, double value) {
    char text[64];
    if (isnan(value)) {
        fputs("–", f);
    } else if (isinf(value)) {
        fputs("never", f);
    } else {
        snprintf(text, sizeof text, format, value);
        for (const char *c = text; *c != '\0'; c++) {
            if (*c == '-' && c == text) {
                fputs("−", f);
            } else {
                fputc(*c, f);
            }
        }
    }
}

void report_html_cell_number(FILE *f, const char *format, double value) {
    fputs("<td class=\"n\">", f);
    print_number(f, format, value);
    fputs("</td>", f);
}

void report_html_cell_interval(FILE *f, const char *format, gyre_interval interval) {
    fputs("<td class=\"n\">", f);
    if (isnan(interval.low)) {
        fputs("–", f);
    } else {
        print_number(f, format, interval.low);
        fputs(" to ", f);
        print_number(f, format, interval.high);
    }
    fputs("</td>", f);
}

/* ---- figures */

/* Past gnuplot's own title, which a browser would show, and its version. */
static const char *skip_element(const char *c, const char *name) {
    char open[16], close[16];
    snprintf(open, sizeof open, "<%s>", name);
    snprintf(close, sizeof close, "</%s>", name);
    const char *from = strstr(c, open), *to = from == NULL ? NULL : strstr(from, close);
    const char *canvas = strstr(c, "<g ");
    return to != NULL && (canvas == NULL || from < canvas) ? to + strlen(close) : c;
}

static void copy_prefixed(FILE *f, const char *c, const char *prefix) {
    static const char *const marks[] = {" id=\"", " id='", "href='#", "href=\"#", "url(#"};
    while (*c != '\0') {
        size_t size = 0;
        for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
            if (strncmp(c, marks[i], strlen(marks[i])) == 0) size = strlen(marks[i]);
        }
        if (size == 0) {
            fputc(*c++, f);
        } else {
            fwrite(c, 1, size, f);
            fputs(prefix, f);
            c += size;
        }
    }
}

gyre_status report_html_figure(FILE *f, const char *path, const char *prefix, const char *caption) {
    enum { LARGEST = 1 << 26 };
    char *svg = NULL;
    size_t size = 0;
    gyre_status status = gyre_file_read(path, LARGEST, &svg, &size);
    if (status != GYRE_OK) return status;
    const char *from = strstr(svg, "<svg");
    const char *inside = from == NULL ? NULL : strchr(from, '>');
    if (inside == NULL) {
        free(svg);
        return gyre_fail(GYRE_EIO, "'%s' is not the SVG that gnuplot makes", path);
    }
    fputs("<figure>", f);
    report_html_element(f, "figcaption", caption);
    fputs("<svg role=\"img\" aria-label=\"", f);
    report_html_text(f, caption);
    fprintf(f, "\"%.*s>", (int)(inside - from - 4), from + 4);
    inside = skip_element(skip_element(inside + 1, "title"), "desc");
    copy_prefixed(f, inside, prefix);
    fputs("</figure>\n", f);
    free(svg);
    return GYRE_OK;
}

/* RFC 4648, section 4. */
static void print_base64(FILE *f, const unsigned char *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned word = (unsigned)bytes[i] << 16 |
                              (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                              (left > 2 ? (unsigned)bytes[i + 2] : 0);
        fputc(digits[word >> 18], f);
        fputc(digits[word >> 12 & 63], f);
        fputc(left > 1 ? digits[word >> 6 & 63] : '=', f);
        fputc(left > 2 ? digits[word & 63] : '=', f);
    }
}

void report_html_picture(FILE *f, const char *png, size_t size, const char *caption) {
    fputs("<figure>", f);
    report_html_element(f, "figcaption", caption);
    fputs("<img alt=\"", f);
    report_html_text(f, caption);
    fputs("\" src=\"data:image/png;base64,", f);
    print_base64(f, (const unsigned char *)png, size);
    fputs("\"></figure>\n", f);
}
