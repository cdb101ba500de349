/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/meant.h"
#include "policy/check/keys.h"
#include "policy/check/port.h"
#include "policy/check/windows.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "appliance/base/duration.h"
#include "appliance/base/utf8.h"

enum meant { MEANT_ADDRESS, MEANT_PORT, MEANT_DATE, MEANT_HOUR, MEANT_OFFSET, MEANT_SPAN, MEANT_NUMBER };

static const struct row {
	enum meant kind;
	const char *written, *wanted;
} rows[] = {
#define MEANT(kind, written, wanted) { kind, "^" written, wanted },
#include "policy/check/meant.def"
#undef MEANT
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define GROUPS 12u	 /* of a row, and the whole match */
#define MEANT_BYTES 128u /* of a text in another notation, and of what to write */

/* ---- signs ----------------------------------------------------------------------------------- */

/* A wave dash, a long-vowel mark behind a digit, or '~'. */
static bool is_dash(uint32_t cp, char before)
{
	return cp == '~' || cp == 0x301c || cp == 0xff5e || (cp == 0x30fc && before >= '0' && before <= '9');
}

char *meant_plain(struct arena *a, const char *text)
{
	static const char tight[] = "-/:.";
	size_t size = strlen(text), n = 0;
	struct bytes b = bytes_of(text, size);
	char *out = arena_alloc(a, size + 1);
	bool blank = false;
	struct utf8_char c;

	while (out != NULL && utf8_next(&b, &c)) {
		char ascii = is_dash(c.cp, n > 0 ? out[n - 1] : ' ') ? '-'
			     : c.cp < 0x80			     ? (char)c.cp
								     : utf8_ascii_for(c.cp);

		if (c.cp == 0x3002) /* the full stop of a Japanese keyboard */
			ascii = '.';
		blank = blank || (ascii != 0 && strchr(" \t\r\n", ascii) != NULL && utf8_cells(c.cp) > 0);
		if ((ascii != 0 && strchr(" \t\r\n", ascii) != NULL) || utf8_is_steering(c.cp))
			continue;
		if (blank && n > 0 && strchr(tight, out[n - 1]) == NULL && (ascii == 0 || strchr(tight, ascii) == NULL))
			out[n++] = ' ';
		blank = false;
		if (ascii != 0)
			out[n++] = ascii;
		else
			for (unsigned i = 0; i < c.size; i++)
				out[n++] = text[size - b.left - c.size + i];
	}
	/* the quote that spreadsheets put before a text, and quotes that were copied along */
	while (out != NULL && n > 0 && strchr(" '\"`", out[n - 1]) != NULL)
		out[--n] = '\0';
	return out != NULL ? out + strspn(out, " '\"`") : NULL;
}

bool meant_everything(const char *plain)
{
	static const char *const words[] = { "any", "all", "*", "rest", "すべて", "全て" };

	for (size_t i = 0; plain != NULL && i < KEYS(words); i++)
		if (strcasecmp(plain, words[i]) == 0)
			return true;
	return false;
}

/* ---- a row against a text -------------------------------------------------------------------- */

/* How many bytes at the beginning of the text the row matches. */
static size_t row_match(size_t row, const char *text, regmatch_t groups[GROUPS])
{
	static regex_t forms[ROWS];
	static bool compiled[ROWS];

	if (!compiled[row])
		compiled[row] = regcomp(&forms[row], rows[row].written, REG_EXTENDED | REG_ICASE) == 0;
	if (!compiled[row] || strlen(text) >= MEANT_BYTES || regexec(&forms[row], text, GROUPS, groups, 0) != 0)
		return 0;
	return (size_t)groups[0].rm_eo;
}

/* The prefix length of a mask or a wildcard mask, or -1. */
static int mask_length(const char *word)
{
	struct addr a;
	uint32_t mask, rest;

	if (!addr_parse(word, &a) || a.family != 4)
		return -1;
	mask = (uint32_t)a.b[0] << 24 | (uint32_t)a.b[1] << 16 | (uint32_t)a.b[2] << 8 | a.b[3];
	rest = (mask & 0x80000000u) != 0 || mask == 0 ? ~mask : mask;
	return (rest & (rest + 1u)) == 0 ? 32 - __builtin_popcount(rest) : -1;
}

/* Writes a group as the letter says. Returns its length, or -1: there is no such value. */
static int put_group(const char *text, regmatch_t group, char as, char *out, size_t size)
{
	char word[MEANT_BYTES];
	unsigned long number;
	int length;

	snprintf(word, sizeof(word), "%.*s", (int)(group.rm_eo - group.rm_so),
		 group.rm_so >= 0 ? text + group.rm_so : "");
	number = strtoul(word, NULL, 10);
	switch (as) {
	case 'p':
		return snprintf(out, size, "%02lu", number);
	case 'r':
		return snprintf(out, size, "%lu", number + 2018);
	case 'm':
		length = mask_length(word);
		return length < 0 ? -1 : snprintf(out, size, "%d", length);
	case 'w':
		for (char *c = word; *c != '\0'; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + ('a' - 'A') : *c);
		return snprintf(out, size, "%s", word);
	default:
		return snprintf(out, size, "%lu", number);
	}
}

static const char *row_wanted(struct arena *a, size_t row, const char *text, const regmatch_t groups[GROUPS])
{
	char out[MEANT_BYTES];
	size_t n = 0;

	for (const char *c = rows[row].wanted; *c != '\0' && n + 1 < sizeof(out); c++) {
		int put = 1;

		if (*c == '$') {
			put = put_group(text, groups[c[1] - '0'], c[2], out + n, sizeof(out) - n);
			c += 2;
		} else {
			out[n] = *c;
		}
		if (put < 0 || (size_t)put >= sizeof(out) - n)
			return NULL;
		n += (size_t)put;
	}
	return arena_strndup(a, out, n);
}

/* If the language accepts `text`, returns what to write: `text` itself, or its usual form.
 * Otherwise NULL. */
typedef const char *meant_reader(struct arena *a, const void *ctx, const char *text);

static const char *meant_value(struct arena *a, enum meant kind, const char *text, meant_reader *read, const void *ctx)
{
	const char *plain = meant_plain(a, text), *value = plain != NULL ? read(a, ctx, plain) : NULL;
	regmatch_t groups[GROUPS];

	for (size_t i = 0; i < ROWS && plain != NULL && value == NULL; i++) {
		const char *said =
			rows[i].kind == kind && plain[0] != '\0' && row_match(i, plain, groups) == strlen(plain)
				? row_wanted(a, i, plain, groups)
				: NULL;

		value = said != NULL ? read(a, ctx, said) : NULL;
	}
	return value != NULL ? arena_printf(a, "\"%s\"", value) : NULL;
}

/* ---- addresses, ports, numbers --------------------------------------------------------------- */

/* An address from 224.0.0.0 up belongs to no host, so it was meant as a mask. */
static bool is_mask(const struct addr_range *r)
{
	return r->lo.family == 4 && r->lo.b[0] >= 224;
}

static const char *read_address(struct arena *a, const void *ctx, const char *text)
{
	const bool *network = ctx;
	char net[2 * ADDR_TEXT + 2];
	struct addr_range r;
	bool stray = false;

	if (prefix_parse(text, &r, &stray) || span_parse(text, &r))
		return is_mask(&r) ? NULL : text;
	if (!stray || is_mask(&r))
		return NULL;
	addr_range_text(&r, net, sizeof(net));
	return *network ? arena_strndup(a, net, strlen(net)) : arena_strndup(a, text, strcspn(text, "/"));
}

const char *meant_address(struct arena *a, bool network, const char *text)
{
	return meant_value(a, MEANT_ADDRESS, text, read_address, &network);
}

static const char *read_port(struct arena *a, const void *ctx, const char *text)
{
	const enum protocol *p = ctx;
	struct ir_port port;
	const struct transport *t = port_parse(text, &port);

	return t != NULL && (*p == PROTO_NONE || (protocol_info(*p)->transports & t->bit) != 0) ? text : NULL;
}

const char *meant_port(struct arena *a, enum protocol p, const char *text)
{
	return meant_value(a, MEANT_PORT, text, read_port, &p);
}

static const char *read_number(struct arena *a, const void *ctx, const char *text)
{
	struct notation_mistake ignored;
	struct number_range r;

	return notation_read(ctx, text, &r, &ignored) ? text : NULL;
}

const char *meant_number(struct arena *a, const struct notation *n, const char *text)
{
	return meant_value(a, MEANT_NUMBER, text, read_number, n);
}

/* ---- time ------------------------------------------------------------------------------------ */

static const char *read_span(struct arena *a, const void *ctx, const char *text)
{
	uint64_t ignored;

	return duration_parse(text, UINT64_MAX, &ignored) ? text : NULL;
}

const char *meant_span(struct arena *a, const char *text)
{
	return meant_value(a, MEANT_SPAN, text, read_span, NULL);
}

/* What the first row of this kind makes of the beginning of *p, which moves behind it; "": no row
 * matches. */
static const char *take_meant(struct arena *a, enum meant kind, const char **p)
{
	regmatch_t groups[GROUPS];

	for (size_t i = 0; i < ROWS; i++) {
		size_t n = rows[i].kind == kind ? row_match(i, *p, groups) : 0;
		const char *said = n > 0 ? row_wanted(a, i, *p, groups) : NULL;

		*p += said != NULL ? n : 0;
		if (said != NULL)
			return said;
	}
	return "";
}

const char *meant_date(struct arena *a, const char *text, bool whole)
{
	const char *p = meant_plain(a, text), *day, *hour, *offset;
	uint64_t ignored = 0;

	if (p == NULL)
		return NULL;
	day = take_meant(a, MEANT_DATE, &p);
	hour = take_meant(a, MEANT_HOUR, &p);
	offset = take_meant(a, MEANT_OFFSET, &p);
	if (*p != '\0')
		return NULL;
	if (whole && hour[0] != '\0')
		day = arena_printf(a, "%s%s%s", day, hour, offset[0] != '\0' ? offset : "+09:00");
	if (day == NULL || !(date_parse(day, &ignored) || (whole && time_parse(day, &ignored))))
		return NULL;
	return arena_printf(a, "\"%s\"", day);
}
