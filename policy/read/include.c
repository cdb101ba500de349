/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/read/scanner.h"

#include <errno.h>
#include <string.h>

#include "appliance/base/diag.h"
#include "appliance/base/utf8.h"

/*
 * Whether this is text at all. Encoding and binary data are checked before the first token, because
 * all later messages would make no sense. Reads the bytes of one source, adds diagnostics, owns
 * nothing.
 */

/* The place of byte `offset`: line, and column in characters, where each invalid byte counts as
 * one. */
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

/* Two-byte Japanese encodings: all bytes above 0x7f must fit. */
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

/* A NUL, or more control characters than typing errors produce. */
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
 * Whether the character is a line break to some editors and not to libconfig. A line behind such a
 * break may in fact be part of a comment.
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
 * Finds the first byte that makes the text binary or wrongly encoded; false when there is none.
 * Then *ret_odd tells whether the text has direction characters or odd line breaks, which need a
 * second pass. Nearly always it has none.
 */
static bool first_fault(const struct source_text *s, size_t start, size_t *ret, bool *ret_control, bool *ret_odd)
{
	struct bytes b = bytes_of(s->text + start, s->size - start);
	struct utf8_char c;

	*ret_odd = false;
	while (b.left > 0) {
		size_t plain = 0; /* ASCII, which is nearly all of a text */

		while (plain < b.left && b.p[plain] >= ' ' && b.p[plain] < 0x7f)
			plain++;
		bytes_skip(&b, plain);
		*ret = s->size - b.left;
		if (!utf8_next(&b, &c))
			break;
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
			/* only the first is reported; the next is when this one was mended */
			return;
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

		if (!utf8_next(&b, &c))
			break;
		if (!is_odd_break(&c, &b))
			continue;
		diag_add(d, SEV_ERROR, "policy.line_break", place_of(s, file, at), MP_LINE_BREAK, c.cp);
		return true;
	}
	return false;
}

/* False when the text must not be scanned; one diagnostic tells why. A BOM or direction character
 * is an error too, but the text stays readable: true, and *ret_start is the first byte to scan. */
static bool scan_text_usable(struct diags *d, const struct source_text *s, uint32_t file, size_t *ret_start)
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
	/* EUC-JP first: most of it would be valid CP932, but not the reverse. */
	if (looks_euc_jp(s))
		return reject(d, place_of(s, file, at), "policy.encoding", MP_EUCJP, MP_HINT_UTF8);
	if (looks_cp932(s))
		return reject(d, place_of(s, file, at), "policy.encoding", MP_CP932, MP_HINT_UTF8);
	return reject(d, place_of(s, file, at), "policy.encoding", MP_NOT_UTF8, MP_HINT_UTF8);
}

bool scan_name_confined(const char *name)
{
	const char *p = name;

	if (*p == '\0' || *p == '/' || strchr(p, '\\') != NULL || strlen(p) > 255)
		return false;
	for (;;) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && *p == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p++ == '\0')
			return true;
	}
}

/* A slot for one more text; the room doubles at 8, 16, 32... */
static struct source_text *source_slot(struct compilation *c)
{
	size_t n = c->n_sources;

	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		struct source_text *more = arena_array(c->arena, n == 0 ? 8 : n * 2, sizeof(*more));

		if (more == NULL)
			return NULL;
		if (n > 0)
			memcpy(more, c->sources, n * sizeof(*more));
		c->sources = more;
	}
	c->n_sources++;
	return &c->sources[n];
}

int scan_load(struct compilation *c, const struct policy_loader *l, const char *name, uint32_t *ret_file)
{
	struct source_text text = { 0 }, *slot;
	int r;

	for (size_t i = 0; i < c->n_sources; i++) {
		if (strcmp(c->sources[i].name, name) == 0) {
			*ret_file = (uint32_t)i;
			return 0;
		}
	}
	r = l->load(l->ctx, name, c->arena, &text);
	if (r < 0)
		return r;
	slot = source_slot(c);
	if (slot == NULL)
		return -ENOMEM;
	*slot = text;
	slot->name = arena_strndup(c->arena, name, strlen(name));
	if (slot->name == NULL)
		return -ENOMEM;
	*ret_file = (uint32_t)(c->n_sources - 1);
	return 0;
}

void scan_load_failed(struct compilation *c, struct srcpos at, uint32_t width, const char *name, int code)
{
	struct diag *g;

	if (code == -EFBIG) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.too_large", at, MP_FILE_LARGE, name, SOURCE_MAX >> 20);
	} else if (code == -EXDEV || code == -ELOOP) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.include_outside", at, MP_LINK_OUTSIDE, name);
	} else if (code == -ENOENT) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.unreadable", at, MP_NO_FILE, name);
		if (at.line > 0)
			diag_hint(&c->diags, g, MP_HINT_NO_FILE);
	} else if (code == -ENOMEM) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.too_large", at, MP_MEMORY);
	} else if (code == -EISDIR) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.unreadable", at, MP_IS_FOLDER, name);
	} else if (code == -EMEDIUMTYPE) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.unreadable", at, MP_NOT_REGULAR, name);
	} else if (code == -ETIMEDOUT) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.unreadable", at, MP_PIPE_SILENT, name);
	} else if (code == -EACCES || code == -EPERM) {
		g = diag_add(&c->diags, SEV_ERROR, "policy.unreadable", at, MP_NO_PERMISSION, name);
	} else {
		g = diag_add(&c->diags, SEV_ERROR, "policy.unreadable", at, MP_UNREADABLE, name, strerror(-code));
	}
	g->width = width;
}

/* The same file by its simplest name: "./a.cfg" is "a.cfg". NULL: no memory. */
static const char *plain_name(struct arena *a, const char *name)
{
	char *plain = arena_strndup(a, name, strlen(name)), *to = plain;

	for (const char *p = name; plain != NULL && *p != '\0';) {
		size_t n = strcspn(p, "/");

		if (n == 1 && *p == '.' && p[1] == '/') {
			p += 2;
			continue;
		}
		n += p[n] == '/';
		memmove(to, p, n);
		to += n;
		p += n;
	}
	if (plain != NULL)
		*to = '\0';
	return plain;
}

/* Passes the text since the last directive to libconfig. */
static void flush(struct scan *s, const char *to)
{
	struct scan_cursor *k = s->cur;
	struct scan_chunk *chunk;
	void *items = s->out->chunks;

	if ((size_t)(to - k->chunk) > SCAN_TOTAL_MAX - s->total) {
		diag_add(&s->c->diags, SEV_ERROR, "policy.too_large", k->at, MP_TOTAL_LARGE, SCAN_TOTAL_MAX >> 20);
		s->stopped = true;
		return;
	}
	chunk = arena_grow(s->c->arena, &items, &s->out->n_chunks, &s->chunk_room, sizeof(*chunk));
	s->out->chunks = items;
	if (chunk == NULL) {
		s->stopped = true;
		return;
	}
	*chunk = (struct scan_chunk){ k->chunk, (size_t)(to - k->chunk), k->file, k->chunk_line };
	s->total += chunk->size;
}

static void read_text(struct scan *s, uint32_t file, struct ast_node *into, scan_content content)
{
	const struct source_text *text = &s->c->sources[file];
	struct scan_cursor k = {
		.outer = s->cur, .file = file, .at = { file, 1, 1 }, .chunk_line = 1, .base_depth = s->depth
	};
	size_t start;

	if (!scan_text_usable(&s->c->diags, text, file, &start))
		return;
	into->at.file = into->value_at.file = s->cur == NULL ? file : into->at.file;
	k.p = k.begin = k.chunk = k.reported = text->text + start;
	k.end = text->text + text->size;
	s->cur = &k; // cppcheck-suppress autoVariables ; taken back below
	s->last = (struct srcpos){ 0 };
	content(s, into);
	if (!s->stopped)
		flush(s, k.end);
	s->cur = k.outer;
	s->last = (struct srcpos){ 0 };
}

void scan_main(struct scan *s, const char *name, struct ast_node *into, scan_content content)
{
	uint32_t file = 0;
	int r = scan_load(s->c, s->loader, name, &file);

	if (r < 0) {
		/* The name alone, so that the diagnostic can tell the file. */
		struct source_text *slot = source_slot(s->c);

		if (slot != NULL)
			*slot = (struct source_text){ name, "", 0 };
		scan_load_failed(s->c, (struct srcpos){ (uint32_t)(s->c->n_sources - 1), 0, 0 }, 1, name, r);
		return;
	}
	read_text(s, file, into, content);
}

/* The chain of open texts: one of them must not be included again inside itself. */
static bool is_open(const struct scan *s, uint32_t file, unsigned *ret_depth)
{
	bool found = false;

	*ret_depth = 0;
	for (const struct scan_cursor *k = s->cur; k != NULL; k = k->outer) {
		found = found || k->file == file;
		(*ret_depth)++;
	}
	return found;
}

static bool refuse(struct scan *s, struct srcpos at, uint32_t width, const char *code, enum message m,
		   enum message hint, const char *name)
{
	struct diag *g = diag_add(&s->c->diags, SEV_ERROR, code, at, m, name);

	g->width = width;
	diag_hint(&s->c->diags, g, hint);
	return false;
}

/* Reads `@include "name"`; NULL: something else. */
static const char *directive(struct scan *s, struct srcpos *ret_at, uint32_t *ret_width)
{
	struct srcpos at = s->cur->at;
	uint32_t width;
	const char *word = scan_run(s, "=;,{}()[]\"#", &width);
	struct bytes name;
	bool unnamed = false;
	struct diag *g;

	if (word == NULL)
		return NULL;
	if (strcmp(word, "@include") == 0) {
		scan_blank(s);
		if (scan_peek(s) == '"') {
			*ret_at = s->cur->at;
			name = scan_string(s, ret_width);
			return s->cur->p[-1] == '"' ? arena_strndup(s->c->arena, (const char *)name.p, name.left)
						    : NULL;
		}
		unnamed = true;
	}
	if (scan_fresh(s, at)) {
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", at, unnamed ? MP_INCLUDE_UNNAMED : MP_DIRECTIVE,
			     word);
		g->width = width;
		diag_hint(&s->c->diags, g, unnamed ? MP_HINT_INCLUDE : MP_HINT_DIRECTIVE);
	}
	return NULL;
}

bool scan_include(struct scan *s, struct ast_node *into, scan_content content)
{
	const char *from = s->cur->p, *written, *name;
	struct srcpos at = s->cur->at;
	uint32_t width = 1, file = 0;
	unsigned depth;
	int r;

	written = directive(s, &at, &width);
	if (written == NULL)
		return false;
	name = plain_name(s->c->arena, written);
	if (name == NULL) {
		scan_load_failed(s->c, at, width, written, -ENOMEM);
		return false;
	}
	if (!scan_name_confined(name))
		return refuse(s, at, width, "policy.include_outside", MP_INCLUDE_OUTSIDE,
			      strchr(name, '\\') != NULL ? MP_HINT_SLASH : MP_HINT_OUTSIDE, written);
	if (++s->includes > SCAN_FILES_MAX) {
		s->stopped = true;
		diag_add(&s->c->diags, SEV_ERROR, "policy.too_large", at, MP_INCLUDE_MANY, SCAN_FILES_MAX);
		return false;
	}
	r = scan_load(s->c, s->loader, name, &file);
	if (r < 0) {
		scan_load_failed(s->c, at, width, name, r);
		return false;
	}
	if (is_open(s, file, &depth))
		return refuse(s, at, width, "policy.include_loop", MP_INCLUDE_LOOP, MP_HINT_INCLUDE_LOOP, name);
	if (depth > SCAN_INCLUDE_MAX) {
		diag_add(&s->c->diags, SEV_ERROR, "policy.include_deep", at, MP_INCLUDE_DEEP, SCAN_INCLUDE_MAX)->width =
			width;
		return false;
	}
	flush(s, from);
	if (s->stopped)
		return false;
	read_text(s, file, into, content);
	s->cur->chunk = s->cur->p;
	s->cur->chunk_line = s->cur->at.line;
	return true;
}
