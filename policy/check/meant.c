/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/check.h"

#include <string.h>
#include <strings.h>

#include "appliance/base/duration.h"

/* ---- addresses ------------------------------------------------------------------------------- */

struct address_reader {
	struct arena *arena;
	bool network;
};

/* An address from 224.0.0.0 up belongs to no host, so it was meant as a mask. */
static bool is_mask(const struct addr_range *r)
{
	return r->lo.family == 4 && r->lo.b[0] >= 224;
}

static const char *read_address(void *ctx, const char *text)
{
	const struct address_reader *c = ctx;
	char net[2 * ADDR_TEXT + 2];
	struct addr_range r;
	bool stray = false;

	if (prefix_parse(text, &r, &stray) || span_parse(text, &r))
		return is_mask(&r) ? NULL : text;
	if (!stray || is_mask(&r))
		return NULL;
	addr_range_text(&r, net, sizeof(net));
	return c->network ? arena_strndup(c->arena, net, strlen(net))
			  : arena_strndup(c->arena, text, strcspn(text, "/"));
}

const char *meant_address(struct arena *a, bool network, const char *text, bool *ret_several)
{
	struct address_reader c = { a, network };
	const char *plain = meant_plain(a, text), *close = plain != NULL ? strchr(plain, ']') : NULL;

	/* "[2001:db8::]/48"; a port behind the bracket is no part of an address */
	if (close != NULL && *plain == '[' && (close[1] == '\0' || close[1] == '/'))
		text = arena_printf(a, "%.*s%s", (int)(close - plain - 1), plain + 1, close + 1);
	*ret_several = false;
	return text != NULL
		       ? meant_value(a, MEANT_ADDRESS, text, &(struct meant_reader){ read_address, &c }, ret_several)
		       : NULL;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static const char *read_port(void *ctx, const char *text)
{
	const enum protocol *p = ctx;
	struct ir_port port;
	const struct transport *t = port_parse(text, &port);

	return t != NULL && (*p == PROTO_NONE || (protocol_info(*p)->transports & t->bit) != 0) ? text : NULL;
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

const char *meant_port(struct arena *a, enum protocol p, const char *text, bool *ret_several)
{
	return meant_value(a, MEANT_PORT, text, &(struct meant_reader){ read_port, &p }, ret_several);
}

/* ---- numbers, and places in controllers ------------------------------------------------------ */

/* The address space that a row of meant.def names, such as "modbus holding"; NULL if this
 * vocabulary has no such space. */
static const struct space_info *space_of(const struct vocabulary *v, const char *of)
{
	const char *name = protocol_info(v->protocol)->name;
	size_t n = strlen(name);

	if (strncmp(of, name, n) != 0 || of[n] != ' ')
		return NULL;
	for (size_t i = 0; i < v->n_spaces; i++)
		if (strcmp(v->spaces[i].key, of + n + 1) == 0)
			return &v->spaces[i];
	return NULL;
}

/* Reads "d100" or "W1F": the key of an address space and a number, which is hexadecimal for some
 * keys. */
static const struct space_info *by_key(struct arena *a, const struct vocabulary *v, const char *plain,
				       struct number_range *ret)
{
	struct notation_mistake ignored;

	for (size_t i = 0; i < v->n_spaces; i++) {
		const struct space_info *s = &v->spaces[i];
		struct notation n = notation_of_space(s);
		size_t len = strlen(s->key);
		const char *text;

		if (s->named || strncasecmp(plain, s->key, len) != 0)
			continue;
		len += plain[len] == ' ';
		text = arena_printf(a, "%s%s", s->hex ? "0x" : "", plain + len);
		if (text == NULL || !notation_read(&n, text, ret, &ignored))
			continue;
		return s;
	}
	return NULL;
}

static const struct space_info *one_place(struct arena *a, const struct vocabulary *v, const char *plain,
					  struct number_range *ret)
{
	struct meant_word w = { .row = 0 };
	struct notation_mistake ignored;

	while (meant_next(a, MEANT_PLACE, plain, &w)) {
		const struct space_info *s = space_of(v, w.of);
		struct notation n = s != NULL ? notation_of_space(s) : notation_plain(0);

		if (s != NULL && notation_read(&n, w.text, ret, &ignored))
			return s;
	}
	return by_key(a, v, plain, ret);
}

/* A place, or a range of places, whose end people shorten: "D100-D199", "D100-199". */
static const struct space_info *place(struct arena *a, const struct vocabulary *v, const char *plain,
				      struct number_range *ret)
{
	const struct space_info *s, *end;
	const char *dash, *first, *last;
	struct number_range to;

	plain += *plain == '%';
	dash = strchr(plain, '-');
	s = one_place(a, v, plain, ret);
	if (s != NULL || dash == NULL)
		return s;
	first = arena_strndup(a, plain, (size_t)(dash - plain));
	last = dash + 1 + (dash[1] == '%');
	if (!is_letter(*last))
		last = arena_printf(a, "%.*s%s", (int)strcspn(plain, "0123456789"), plain, last);
	s = first != NULL && last != NULL ? one_place(a, v, first, ret) : NULL;
	end = s != NULL ? one_place(a, v, last, &to) : NULL;
	if (end == NULL || end != s || to.hi < ret->hi)
		return NULL;
	ret->hi = to.hi;
	return s;
}

static const char *place_text(struct arena *a, const struct space_info *s, struct number_range r)
{
	struct notation n = notation_of_space(s);
	char text[NOTATION_TEXT];

	notation_text(&n, r, text);
	return strchr(text, ',') == NULL ? arena_strndup(a, text, strlen(text)) : NULL;
}

struct number_reader {
	struct arena *arena;
	const struct vocabulary *words;
	const char *key;
	const struct notation *notation;
};

static const char *read_number(void *ctx, const char *text)
{
	const struct number_reader *c = ctx;
	const struct space_info *s;
	struct notation_mistake ignored;
	struct number_range r;

	if (notation_read(c->notation, text, &r, &ignored))
		return text;
	s = c->words != NULL ? place(c->arena, c->words, text, &r) : NULL;
	return s != NULL && strcmp(s->key, c->key) == 0 ? place_text(c->arena, s, r) : NULL;
}

const char *meant_number(struct arena *a, const struct vocabulary *v, const char *key, const struct notation *n,
			 const char *text, bool *ret_several)
{
	struct number_reader c = { a, v, key, n };
	const char *plain = meant_plain(a, text);

	*ret_several = false;
	if (plain == NULL || (n->named && strchr(plain, ' ') != NULL && strpbrk(plain, ",;") == NULL))
		return NULL; /* a tag with a blank is one tag */
	return meant_value(a, strcmp(key, "functions") == 0 ? MEANT_FUNCTION : MEANT_NUMBER, text,
			   &(struct meant_reader){ read_number, &c }, ret_several);
}

const char *meant_elsewhere(struct arena *a, const struct vocabulary *v, const char *text, const char **ret_key)
{
	const char *plain = meant_plain(a, text), *value;
	struct number_range r;
	const struct space_info *s = plain != NULL && v != NULL ? place(a, v, plain, &r) : NULL;

	value = s != NULL ? place_text(a, s, r) : NULL;
	*ret_key = s != NULL ? s->key : "";
	return value != NULL ? arena_printf(a, "\"%s\"", value) : NULL;
}

/* ---- functions and commands ------------------------------------------------------------------ */

/* Whether "Read Holding Registers" means read_holding_registers. */
static bool is_called(const char *name, const char *text)
{
	while (*name != '\0' || *text != '\0') {
		if (*name == '_')
			name++;
		else if (*text != '\0' && strchr("_- ", *text) != NULL)
			text++;
		else if (strncasecmp(name++, text++, 1) != 0)
			return false;
	}
	return true;
}

static const char *read_function(void *ctx, const char *text)
{
	const struct vocabulary *v = *(const struct vocabulary *const *)ctx;
	struct notation plain = notation_plain(v->code_max);
	const struct function_info *f = NULL;
	struct notation_mistake ignored;
	struct number_range r;

	for (unsigned i = 0; i < v->n_functions; i++)
		if (is_called(v->functions[i].name, text))
			return v->functions[i].name;
	if (notation_read(&plain, text, &r, &ignored) && r.lo == r.hi)
		f = function_by_code(v, (uint32_t)r.lo);
	return f != NULL && f->code == f->last ? f->name : NULL;
}

const char *meant_function(struct arena *a, const struct vocabulary *v, const char *text, bool *ret_several)
{
	return meant_value(a, MEANT_FUNCTION, text, &(struct meant_reader){ read_function, &v }, ret_several);
}

static const char *read_command(void *ctx, const char *text)
{
	(void)ctx;
	for (size_t i = 0; command_class_words[i] != NULL; i++)
		if (strcasecmp(command_class_words[i], text) == 0)
			return command_class_words[i];
	return NULL;
}

const char *meant_command(struct arena *a, const char *text, bool *ret_several)
{
	static const char *const both[] = { "rw", "読み書き" };
	const char *plain = meant_plain(a, text);

	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]) && plain != NULL; i++)
		if (strcasecmp(plain, both[i]) == 0)
			text = "read,write";
	return meant_value(a, MEANT_COMMAND, text, &(struct meant_reader){ read_command, NULL }, ret_several);
}

/* ---- time ------------------------------------------------------------------------------------ */

static const char *read_span(void *ctx, const char *text)
{
	uint64_t ignored;

	(void)ctx;
	return duration_parse(text, UINT64_MAX, &ignored) ? text : NULL;
}

const char *meant_span(struct arena *a, const char *text)
{
	bool several;
	const char *value = meant_value(a, MEANT_SPAN, text, &(struct meant_reader){ read_span, NULL }, &several);

	return several ? NULL : value;
}

const char *meant_date(struct arena *a, const char *text, bool whole)
{
	const char *value = meant_when(a, text, whole);
	uint64_t ignored = 0;

	if (value == NULL || !(date_parse(value, &ignored) || (whole && time_parse(value, &ignored))))
		return NULL;
	return arena_printf(a, "\"%s\"", value);
}

/* ---- hints by the key alone ------------------------------------------------------------------ */

const char *meant_for_key(struct arena *a, const char *key, const char *text, bool *ret_several)
{
	*ret_several = false;
	if (strcmp(key, "ports") == 0)
		return meant_port(a, PROTO_NONE, text, ret_several);
	if (strcmp(key, "review_by") == 0 || strcmp(key, "support_until") == 0)
		return meant_date(a, text, false);
	if (strcmp(key, "until") == 0 || strcmp(key, "starts") == 0)
		return meant_date(a, text, true);
	if (strcmp(key, "commands") == 0)
		return meant_command(a, text, ret_several);
	if (strcmp(key, "networks") == 0)
		return meant_address(a, true, text, ret_several);
	if (strcmp(key, "addresses") == 0 || strcmp(key, "sources") == 0 || strcmp(key, "destinations") == 0)
		return meant_address(a, false, text, ret_several);
	return NULL;
}
