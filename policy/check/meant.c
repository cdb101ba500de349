/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/check.h"

#include <string.h>
#include <strings.h>

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

static bool is_of_address(char c)
{
	return c != '\0' && strchr("0123456789abcdefABCDEF.:/-", c) != NULL;
}

/* Three dots or two colons: enough to be an address. */
static bool is_like_one(const char *text, size_t n)
{
	unsigned dots = 0, colons = 0;

	for (size_t i = 0; i < n; i++) {
		dots += text[i] == '.';
		colons += text[i] == ':';
	}
	return dots >= 3 || colons >= 2;
}

static bool is_of_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' || c == '%';
}

/* The end of a range such as "2001:db8::10-20", which omits the part that it shares with the
 * beginning. */
static const char *six_span(struct arena *a, const char *text)
{
	const char *dash = strchr(text, '-'), *colon = dash;

	if (dash == NULL || strchr(text, ':') == NULL || strchr(dash, ':') != NULL)
		return text;
	while (colon > text && *colon != ':')
		colon--;
	return arena_printf(a, "%.*s%.*s%s", (int)(dash + 1 - text), text, (int)(colon + 1 - text), text, dash + 1);
}

#define ADDRESSES_MOST 64u /* addresses in one text */

/* Finds addresses among other words: "RTG1: 10.30.1.10", "[2001:db8::1]:502". */
static const char *among_words(struct arena *a, const char *plain, const struct meant_reader *r, bool *ret_several)
{
	const char *list = "", *one = NULL;
	unsigned n = 0;
	bool several;

	for (const char *p = plain; *p != '\0' && list != NULL;) {
		const char *piece;
		size_t len = 0, sign;

		while (is_of_address(p[len]))
			len++;
		if (len == 0 || (p > plain && is_of_word(p[-1])) || (p[len] != '%' && is_of_word(p[len]))) {
			/* "rtg1:10.30.1.10": the text behind the sign may be an address. */
			sign = strcspn(p, ":/");
			p += len == 0 ? 1 : sign < len ? sign + 1 : len;
			continue;
		}
		piece = p;
		p += len;
		while (len > 0 && strchr(".:/-", piece[len - 1]) != NULL && !(len > 1 && piece[len - 2] == ':'))
			len--;
		if (!is_like_one(piece, len))
			continue;
		piece = arena_strndup(a, piece, len);
		piece = piece != NULL ? six_span(a, piece) : NULL;
		one = piece != NULL && n < ADDRESSES_MOST ? meant_value(a, MEANT_ADDRESS, piece, r, &several) : NULL;
		if (one == NULL || several)
			return NULL;
		list = arena_printf(a, "%s%s%s", list, n++ > 0 ? ", " : "", one);
	}
	*ret_several = n > 1;
	return n > 1 ? arena_printf(a, "[%s]", list) : one;
}

const char *meant_address(struct arena *a, bool network, const char *text, bool *ret_several)
{
	struct address_reader c = { a, network };
	const struct meant_reader r = { read_address, &c };
	const char *value = meant_value(a, MEANT_ADDRESS, text, &r, ret_several), *plain;

	if (value != NULL || (plain = meant_plain(a, text)) == NULL)
		return value;
	return among_words(a, plain, &r, ret_several);
}

/* ---- ports ----------------------------------------------------------------------------------- */

static const char *read_port(void *ctx, const char *text)
{
	const enum protocol *p = ctx;
	struct ir_port port;
	const struct transport *t = port_parse(text, &port);

	return t != NULL && (*p == PROTO_NONE || (protocol_info(*p)->transports & t->bit) != 0) ? text : NULL;
}

/* Finds both transports side by side: "tcp/udp 53", "53 (TCP, UDP)"; *ret: the bytes of that part.
 * NULL: none. */
static const char *both_transports(const char *plain, size_t *ret)
{
	static const char *const between[] = { "/",  ",",  "+",	   "&",	     "|",     ";",   " ",
					       "・", "と", "及び", "および", " and ", " or " };
	static const char *const pairs[][2] = { { "tcp", "udp" }, { "udp", "tcp" } };

	for (const char *p = plain; *p != '\0'; p++)
		for (size_t i = 0; i < 2 * sizeof(between) / sizeof(between[0]); i++) {
			const char *const *pair = pairs[i % 2], *sign = between[i / 2];
			size_t n = strlen(sign);

			if (strncasecmp(p, pair[0], 3) != 0 || strncmp(p + 3, sign, n) != 0 ||
			    strncasecmp(p + 3 + n, pair[1], 3) != 0)
				continue;
			*ret = 6 + n;
			return p;
		}
	return NULL;
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* The only number or range in a text of other words: "ポート番号 502 (TCP)". NULL: none, or
 * several. */
static const char *only_number(struct arena *a, const char *plain)
{
	const char *found = NULL;
	size_t len = 0;

	for (const char *p = plain; *p != '\0';) {
		size_t n = strspn(p, "0123456789");

		if (n == 0) {
			p++;
			continue;
		}
		if (found != NULL || n > 5 || is_letter(p[n]) || (p > plain && is_letter(p[-1])) ||
		    strncmp(p + n, "号", strlen("号")) == 0)
			return NULL;
		found = p;
		if (p[n] == '-' && strspn(p + n + 1, "0123456789") > 0)
			n += 1 + strspn(p + n + 1, "0123456789");
		len = n;
		p += n;
	}
	return found != NULL ? arena_strndup(a, found, len) : NULL;
}

static const char *port_among_words(struct arena *a, const char *plain, const struct meant_reader *r)
{
	const char *number = only_number(a, plain), *value = NULL;
	bool several, named = false;

	for (unsigned t = 0; t < PORT_TRANSPORTS && number != NULL && value == NULL; t++) {
		const char *name = port_transports[t].name, *text;

		if (strcasestr(plain, name) == NULL)
			continue;
		named = true;
		text = arena_printf(a, "%s/%s", name, number);
		value = text != NULL ? meant_value(a, MEANT_PORT, text, r, &several) : NULL;
	}
	return value != NULL || named || number == NULL ? value : meant_value(a, MEANT_PORT, number, r, &several);
}

const char *meant_port(struct arena *a, enum protocol p, const char *text, bool *ret_several)
{
	const struct meant_reader r = { read_port, &p };
	const char *plain = meant_plain(a, text), *both, *first, *second, *value;
	size_t n = 0;

	*ret_several = false;
	both = plain != NULL ? both_transports(plain, &n) : NULL;
	if (both != NULL) {
		bool many[2];

		first = arena_printf(a, "%.*stcp%s", (int)(both - plain), plain, both + n);
		second = arena_printf(a, "%.*sudp%s", (int)(both - plain), plain, both + n);
		first = first != NULL ? meant_value(a, MEANT_PORT, first, &r, &many[0]) : NULL;
		second = second != NULL ? meant_value(a, MEANT_PORT, second, &r, &many[1]) : NULL;
		if (first != NULL && second != NULL && !many[0] && !many[1]) {
			*ret_several = true;
			return arena_printf(a, "[%s, %s]", first, second);
		}
		value = first != NULL ? first : second;
		*ret_several = value != NULL && (first != NULL ? many[0] : many[1]);
		return value;
	}
	for (unsigned t = 0; t < PORT_TRANSPORTS && plain != NULL; t++)
		if (strcasecmp(plain, port_transports[t].name) == 0)
			plain = text = arena_printf(a, "%s/1-65535", plain);
	value = text != NULL ? meant_value(a, MEANT_PORT, text, &r, ret_several) : NULL;
	return value != NULL || plain == NULL ? value : port_among_words(a, plain, &r);
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

/* Reads the digit specification of "K4M100": K4 is four groups of four bits. Returns the text from
 * the key on; *ret_bits is 1 without a digit specification. */
static const char *without_digits(const char *plain, uint64_t *ret_bits)
{
	*ret_bits = 1;
	if ((*plain | 0x20) != 'k' || plain[1] < '1' || plain[1] > '8' || strchr("0123456789", plain[2]) != NULL)
		return plain;
	*ret_bits = 4u * (uint64_t)(plain[1] - '0');
	return plain + 2;
}

/* Reads "d100" or "W1F": the key of an address space and a number, which is hexadecimal for some
 * keys. A bit of a word ("D100.5") is read as the word. */
static const struct space_info *by_key(struct arena *a, const struct vocabulary *v, const char *plain,
				       struct number_range *ret)
{
	struct notation_mistake ignored;
	uint64_t bits;

	plain = without_digits(plain, &bits);

	for (size_t i = 0; i < v->n_spaces; i++) {
		const struct space_info *s = &v->spaces[i];
		struct notation n = notation_of_space(s);
		size_t len = strlen(s->key);
		size_t end;
		const char *text;

		if (s->named || strncasecmp(plain, s->key, len) != 0 || (bits > 1 && !s->bits))
			continue;
		len += plain[len] == ' ';
		end = strcspn(plain + len, ".");
		if (s->bits || s->parts[0].bits != 0 || strlen(plain + len) > end + 2)
			end = strlen(plain + len);
		text = arena_printf(a, "%s%.*s", s->hex ? "0x" : "", (int)end, plain + len);
		if (text == NULL || !notation_read(&n, text, ret, &ignored))
			continue;
		ret->hi += bits - 1;
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

/* The end of a range, which people shorten: D100-199, DB10.DBW0-DBW8. */
static const struct space_info *last_place(struct arena *a, const struct vocabulary *v, const char *first, size_t n,
					   const char *last, struct number_range *ret)
{
	size_t letters = n, dotted = n, word = n;
	const struct space_info *s = one_place(a, v, last, ret);
	const char *text;

	while (letters > 0 && strchr("0123456789", first[letters - 1]) != NULL)
		letters--;
	while (dotted > 0 && first[dotted - 1] != '.')
		dotted--;
	while (word > 0 && !is_letter(first[word - 1]))
		word--;
	/* The shortened end of an address with several parts stands for the last part, or for the
	 * parts after the dot. A hexadecimal number may begin with letters of its own. */
	for (unsigned i = 0; i < 4 && s == NULL; i++) {
		const size_t shared[] = { letters, dotted, word, strcspn(first, "0123456789") };
		size_t k = strpbrk(first, ".,") != NULL ? i : (i + 3) % 4;

		text = arena_printf(a, "%.*s%s", (int)shared[k], first, last);
		s = text != NULL ? one_place(a, v, text, ret) : NULL;
	}
	return s;
}

/* Replaces a word for "to" by a dash: "D100..D199", "D100からD199". */
static const char *with_dash(struct arena *a, const char *plain)
{
	static const char *const signs[] = { "..", ":", "から", " to ", "→" };
	const char *at;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if ((at = strstr(plain, signs[i])) != NULL && strchr(plain, '-') == NULL)
			return arena_printf(a, "%.*s-%s", (int)(at - plain), plain, at + strlen(signs[i]));
	return plain;
}

static const struct space_info *place(struct arena *a, const struct vocabulary *v, const char *plain,
				      struct number_range *ret)
{
	const struct space_info *s, *end;
	const char *dash, *first;
	struct number_range last;

	plain += *plain == '%';
	plain += strncasecmp(plain, "p#", 2) == 0 ? 2 : 0;
	s = one_place(a, v, plain, ret);
	plain = s == NULL ? with_dash(a, plain) : plain;
	dash = plain != NULL ? strchr(plain, '-') : NULL;
	if (s != NULL || dash == NULL)
		return s;
	first = arena_strndup(a, plain, (size_t)(dash - plain));
	dash += dash[1] == '%';
	s = first != NULL ? one_place(a, v, first, ret) : NULL;
	end = s != NULL ? last_place(a, v, first, strlen(first), dash + 1, &last) : NULL;
	if (end == NULL || end != s || last.hi < ret->hi)
		return NULL;
	ret->hi = last.hi;
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

/* "0x0001" in a policy whose other lists have document numbers: it is a document number, not
 * hexadecimal. */
static bool is_counted_place(const struct number_reader *c, const char *text)
{
	bool documents = false, is = false;

	for (size_t i = 0; c->words != NULL && i < c->words->n_spaces; i++) {
		const struct space_info *s = &c->words->spaces[i];

		documents |= s->documented != 0;
		is |= strcmp(s->key, c->key) == 0 && s->documented == 0 && !s->hex;
	}
	return documents && is && strncmp(text, "0x0", 3) == 0;
}

static const char *read_number(void *ctx, const char *text)
{
	const struct number_reader *c = ctx;
	const struct space_info *s;
	struct notation_mistake ignored;
	struct number_range r;

	if (!is_counted_place(c, text) && notation_read(c->notation, text, &r, &ignored))
		return text;
	s = c->words != NULL ? place(c->arena, c->words, text, &r) : NULL;
	return s != NULL && strcmp(s->key, c->key) == 0 ? place_text(c->arena, s, r) : NULL;
}

static bool is_target(const struct vocabulary *v, const char *key)
{
	for (size_t i = 0; v != NULL && i < v->n_targets; i++)
		if (strcmp(v->targets[i].key, key) == 0)
			return true;
	return false;
}

const char *meant_number(struct arena *a, const struct vocabulary *v, const char *key, const struct notation *n,
			 const char *text, bool *ret_several)
{
	struct number_reader c = { a, v, key, n };
	const struct meant_reader r = { read_number, &c };
	enum meant kind = strcmp(key, "functions") == 0 ? MEANT_FUNCTION : MEANT_NUMBER;
	const char *value, *plain = meant_plain(a, text);

	*ret_several = false;
	if (plain == NULL || (n->named && strchr(plain, ' ') != NULL && strpbrk(plain, ",;") == NULL))
		return NULL; /* a tag with a blank is one tag */
	value = meant_value(a, kind, text, &r, ret_several);
	/* A target, unlike an address in a controller, has no letters of its own before its
	 * number. */
	if (value != NULL || !is_target(v, key))
		return value;
	plain = only_number(a, plain);
	return plain != NULL ? meant_value(a, kind, plain, &r, ret_several) : NULL;
}

/* The name of a tag where a number is expected. */
static const char *tag_of(const struct vocabulary *v, const char *plain, const char **ret_key)
{
	for (size_t i = 0; i < v->n_spaces; i++) {
		struct notation n = notation_of_space(&v->spaces[i]);
		struct notation_mistake ignored;
		struct number_range r;

		if (!v->spaces[i].named || ((*plain | 0x20) < 'a' || (*plain | 0x20) > 'z') ||
		    !notation_read(&n, plain, &r, &ignored))
			continue;
		*ret_key = v->spaces[i].key;
		return plain;
	}
	return NULL;
}

const char *meant_elsewhere(struct arena *a, const struct vocabulary *v, const char *text, const char **ret_key)
{
	const char *plain = meant_plain(a, text), *value;
	struct number_range r;
	const struct space_info *s = plain != NULL && v != NULL ? place(a, v, plain, &r) : NULL;

	value = s != NULL ? place_text(a, s, r) : NULL;
	*ret_key = s != NULL ? s->key : "";
	if (s == NULL && plain != NULL && v != NULL)
		value = tag_of(v, plain, ret_key);
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

#define PARTS_MOST 8u /* parts; a text with more is not understood */

/* "FC1-4": the functions with these numbers. */
static const char *functions_between(struct arena *a, const struct vocabulary *v, const char *plain)
{
	const char *dash = strchr(plain, '-'), *list = "", *digits = plain + strcspn(plain, "0123456789"), *text;
	struct notation notation = notation_plain(v->code_max);
	struct notation_mistake ignored;
	struct number_range r;
	unsigned n = 0;

	if (dash == NULL || digits > dash)
		return NULL;
	dash++;
	text = arena_printf(a, "%.*s-%s", (int)(dash - 1 - digits), digits, dash + strcspn(dash, "0123456789"));
	if (text == NULL || !notation_read(&notation, text, &r, &ignored))
		return NULL;
	for (unsigned i = 0; i < v->n_functions && list != NULL; i++)
		if (v->functions[i].code >= r.lo && v->functions[i].last <= r.hi)
			list = arena_printf(a, "%s%s\"%s\"", list, n++ > 0 ? ", " : "", v->functions[i].name);
	return n > 1 && list != NULL ? arena_printf(a, "[%s]", list) : NULL;
}

const char *meant_function(struct arena *a, const struct vocabulary *v, const char *text, bool *ret_several)
{
	const struct meant_reader r = { read_function, &v };
	const char *plain = meant_plain(a, text), *value = meant_value(a, MEANT_FUNCTION, text, &r, ret_several), *part,
		   *p;

	if (value != NULL || plain == NULL)
		return value;
	p = plain;
	/* Tries each part of "FC03: Read Holding Registers", "Read Holding Registers (FC3)" */
	for (unsigned n = 0; value == NULL && *p != '\0' && n < PARTS_MOST; n++, p += strcspn(p, "(:)")) {
		p += strspn(p, "(:) -");
		part = arena_strndup(a, p, strcspn(p, "(:)"));
		value = part != NULL && *part != '\0' ? meant_value(a, MEANT_FUNCTION, part, &r, ret_several) : NULL;
	}
	if (value != NULL)
		return value;
	value = functions_between(a, v, plain);
	*ret_several = value != NULL;
	if (value != NULL)
		return value;
	part = only_number(a, plain);
	return part != NULL && strchr(part, '-') == NULL ? meant_value(a, MEANT_FUNCTION, part, &r, ret_several) : NULL;
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
	static const char *const both[] = { "rw",	  "r-w",      "wr",	"read-write", "readwrite",
					    "read write", "読み書き", "読書き", "読書",	      "リードライト" };
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
	return duration_parse(text, &ignored) ? text : NULL;
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

	if (value == NULL || !(whole ? time_parse : date_parse)(value, &ignored))
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
