/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/text.h"

#include "appliance/base/utf8.h"

/* The place of byte `offset`: line and column in characters, bytes that are no UTF-8 counted as one each. */
static struct srcpos place_of(const struct source_text *s, uint32_t file, size_t offset)
{
	struct srcpos at = { file, 1, 1 };
	struct bytes b = bytes_of(s->text, offset);
	struct utf8_char c;

	while (utf8_next(&b, &c)) {
		at.column++;
		if (c.cp == '\n') {
			at.line++;
			at.column = 1;
		}
	}
	return at;
}

/* Two-byte Japanese encodings, judged over all bytes: every high byte must fit. */
static bool looks_euc_jp(const struct source_text *s)
{
	const char *p = s->text;

	for (size_t i = 0; i < s->size; i++) {
		uint8_t a = (uint8_t)p[i], b;

		if (a < 0x80)
			continue;
		if (++i == s->size)
			return false;
		b = (uint8_t)p[i];
		if (!(a == 0x8e || (a >= 0xa1 && a != 0xff)) || b < 0xa1 || b == 0xff)
			return false;
	}
	return true;
}

static bool looks_cp932(const struct source_text *s)
{
	const char *p = s->text;

	for (size_t i = 0; i < s->size; i++) {
		uint8_t a = (uint8_t)p[i], b;

		if (a < 0x80 || (a >= 0xa1 && a <= 0xdf))
			continue;
		if (a == 0x80 || a == 0xa0 || a > 0xfc || ++i == s->size)
			return false;
		b = (uint8_t)p[i];
		if (b < 0x40 || b == 0x7f || b > 0xfc)
			return false;
	}
	return true;
}

static bool is_rubbish(uint8_t c)
{
	return c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f';
}

/* A NUL, or more control characters than a slip of the keyboard makes. */
static bool looks_binary(const struct source_text *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->size; i++) {
		if (s->text[i] == '\0')
			return true;
		n += is_rubbish((uint8_t)s->text[i]);
	}
	return n > 8 && n > s->size / 64;
}

static bool reject(struct diags *d, struct srcpos at, const char *code, enum message m, enum message hint)
{
	struct diag *g = diag_add(d, SEV_ERROR, code, at, m);

	diag_hint(d, g, hint);
	return false;
}

/*
 * Line breaks that some editors show and libconfig does not: what seems to stand on a line of its own behind them may be
 * part of a comment.
 */
static bool is_odd_break(const struct utf8_char *c, const struct bytes *rest)
{
	struct bytes next = *rest;
	uint8_t byte;

	if (c->cp == '\r')
		return !bytes_u8(&next, &byte) || byte != '\n';
	return c->valid && (c->cp == 0x85 || c->cp == 0x2028 || c->cp == 0x2029);
}

/*
 * The first byte that makes the text binary or wrongly encoded; false when there is none. *ret_odd then says whether anything else in it
 * has to be looked for: nearly always nothing, so that one walk is all.
 */
static bool first_fault(const struct source_text *s, size_t start, size_t *ret, bool *ret_control, bool *ret_odd)
{
	struct bytes b = bytes_of(s->text + start, s->size - start);
	struct utf8_char c;

	*ret_odd = false;
	while (b.left > 0) {
		*ret = s->size - b.left;
		if (!utf8_next(&b, &c))
			break;
		if (c.cp >= ' ' && c.cp < 0x7f)
			continue;
		*ret_control = c.valid && c.cp < 0x80 && (is_rubbish((uint8_t)c.cp) || c.cp == 0x7f);
		if (!c.valid || *ret_control)
			return true;
		*ret_odd = *ret_odd || utf8_is_bidi(c.cp) || is_odd_break(&c, &b);
	}
	return false;
}

static void report_bidi(struct diags *d, const struct source_text *s, uint32_t file, size_t start)
{
	struct bytes b = bytes_of(s->text + start, s->size - start);
	struct srcpos at = { file, 1, 1 };
	struct utf8_char c;

	while (utf8_next(&b, &c)) {
		if (utf8_is_bidi(c.cp)) {
			diag_add(d, SEV_ERROR, "policy.direction_character", at, MP_BIDI, c.cp);
			return; /* one is enough: the rest is found the same way */
		}
		at.column++;
		if (c.cp == '\n') {
			at.line++;
			at.column = 1;
		}
	}
}

static bool has_odd_break(struct diags *d, const struct source_text *s, uint32_t file, size_t start)
{
	struct bytes b = bytes_of(s->text + start, s->size - start);
	struct utf8_char c;

	while (b.left > 0) {
		size_t at = s->size - b.left;
		struct diag *g;

		if (!utf8_next(&b, &c))
			break;
		if (!is_odd_break(&c, &b))
			continue;
		g = diag_add(d, SEV_ERROR, "policy.line_break", place_of(s, file, at), MP_LINE_BREAK, c.cp);
		diag_hint(d, g, MP_HINT_LINE_BREAK);
		return true;
	}
	return false;
}

bool scan_text_usable(struct diags *d, const struct source_text *s, uint32_t file, size_t *ret_start)
{
	struct srcpos top = { file, 1, 1 };
	struct bytes b = bytes_of(s->text, s->size);
	bool control = false, odd;
	size_t at = 0;

	*ret_start = 0;
	if (bytes_starts(&b, "\xff\xfe", 2) || bytes_starts(&b, "\xfe\xff", 2))
		return reject(d, top, "policy.encoding", MP_UTF16, MP_HINT_UTF8);
	if (bytes_starts(&b, "\xef\xbb\xbf", 3)) {
		reject(d, top, "policy.bom", MP_BOM, MP_HINT_BOM);
		*ret_start = 3;
	}
	if (!first_fault(s, *ret_start, &at, &control, &odd)) {
		if (!odd)
			return true;
		report_bidi(d, s, file, *ret_start);
		return !has_odd_break(d, s, file, *ret_start);
	}
	if (looks_binary(s))
		return reject(d, place_of(s, file, at), "policy.binary", MP_BINARY, MP_HINT_BINARY);
	if (control && s->text[at] == '\x1b' && (s->text[at + 1] == '$' || s->text[at + 1] == '('))
		return reject(d, place_of(s, file, at), "policy.encoding", MP_ISO2022JP, MP_HINT_UTF8);
	if (control) {
		diag_add(d, SEV_ERROR, "policy.control_character", place_of(s, file, at), MP_CONTROL,
			 (unsigned)(uint8_t)s->text[at]);
		return false;
	}
	/* EUC-JP first: most of it would pass as CP932 as well, not the other way round. */
	if (looks_euc_jp(s))
		return reject(d, place_of(s, file, at), "policy.encoding", MP_EUCJP, MP_HINT_UTF8);
	if (looks_cp932(s))
		return reject(d, place_of(s, file, at), "policy.encoding", MP_CP932, MP_HINT_UTF8);
	return reject(d, place_of(s, file, at), "policy.encoding", MP_NOT_UTF8, MP_HINT_UTF8);
}
