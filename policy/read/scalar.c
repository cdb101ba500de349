/* SPDX-License-Identifier: Apache-2.0 */
/* Values without quotes: numbers, truth values, and values whose quotes were forgotten. */
#include <string.h>
#include <strings.h>

#include "appliance/base/addr.h"
#include "policy/read/lex.h"
#include "policy/read/meant.h"

bool scan_is_name(const char *word)
{
	if (!((*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z')))
		return false;
	if (strcasecmp(word, "true") == 0 ||
	    strcasecmp(word, "false") == 0) /* these are values to libconfig everywhere */
		return false;
	while ((*word >= 'a' && *word <= 'z') || (*word >= 'A' && *word <= 'Z') || (*word >= '0' && *word <= '9') ||
	       *word == '-' || *word == '_')
		word++;
	return *word == '\0';
}

/* Whole numbers as libconfig reads them, including the suffix L. */
static bool is_number(const char *w)
{
	const char *digits = "0123456789";
	size_t n;

	if (w[0] == '0' && (w[1] == 'x' || w[1] == 'X')) {
		w += 2;
		digits = "0123456789abcdefABCDEF";
	} else if (*w == '-' || *w == '+') {
		w++;
	}
	n = strspn(w, digits);
	if (n == 0)
		return false;
	return w[n] == '\0' || strcmp(w + n, "L") == 0 || strcmp(w + n, "LL") == 0;
}

/* libconfig silently cuts a number beyond 32 bits. */
static bool fits(const char *w)
{
	bool hex = w[0] == '0' && (w[1] == 'x' || w[1] == 'X');
	uint64_t v = 0;

	w += hex ? 2 : *w == '-' || *w == '+';
	for (; *w != '\0' && *w != 'L'; w++) {
		unsigned digit = *w <= '9' ? (unsigned)(*w - '0') : ((unsigned)*w | 0x20u) - 'a' + 10;

		v = v * (hex ? 16 : 10) + digit;
		if (v > INT32_MAX)
			return false;
	}
	return true;
}

static bool is_fraction(const char *w)
{
	const char *digits = "0123456789";
	size_t n;

	w += *w == '-' || *w == '+';
	n = strspn(w, digits);
	if (w[n] != '.' && w[n] != 'e' && w[n] != 'E')
		return false;
	n += 1;
	n += strspn(w + n, "0123456789eE+-");
	return w[n] == '\0';
}

/* Whether the word has a year of four digits, or an era (any other sign than digits and "/.-:").
 * Without one of these, three groups of digits need not be a date. */
static bool has_year(const char *w)
{
	size_t n = 0;

	for (; *w != '\0'; w++) {
		n = *w >= '0' && *w <= '9' ? n + 1 : 0;
		if (n == 4 || (n == 0 && strchr("/.-:", *w) == NULL))
			return true;
	}
	return false;
}

/* For a text that is no other value: it may be an address or a port. The name of a setting tells
 * which of them is expected; an element of a list has no name. */
static const char *read_port(void *ctx, const char *text)
{
	(void)ctx;
	return strncmp(text, "tcp/", 4) == 0 || strncmp(text, "udp/", 4) == 0 ? text : NULL;
}

static const char *read_address(void *ctx, const char *text)
{
	struct addr_range r;
	bool stray = false;

	(void)ctx;
	return prefix_parse(text, &r, &stray) || span_parse(text, &r) ? text : NULL;
}

/* The value that was meant, in quotes; NULL: the word itself in quotes. */
static const char *meant_unquoted(struct arena *a, const char *w)
{
	const char *value = NULL;
	bool several = false;

	if (strchr(w, '.') != NULL)
		value = meant_value(a, MEANT_ADDRESS, w, &(struct meant_reader){ read_address, NULL }, &several);
	else if (strchr(w, '/') != NULL)
		value = meant_value(a, MEANT_PORT, w, &(struct meant_reader){ read_port, NULL }, &several);
	return several ? NULL : value;
}

static void accident(struct scan *s, struct srcpos at, uint32_t width, const char *w, const char *name)
{
	bool whole = name != NULL && (strcmp(name, "until") == 0 || strcmp(name, "starts") == 0);
	const char *day = has_year(w) ? meant_when(s->c->arena, w, whole) : NULL, *value;
	struct diags *d = &s->c->diags;
	struct diag *g;

	if (!scan_fresh(s, at))
		return;
	if (*w == '\'') {
		g = diag_add(d, SEV_ERROR, "policy.quotes", at, MP_SINGLE_QUOTE);
		diag_hint(d, g, MP_HINT_DOUBLE_QUOTE);
	} else if (day != NULL) {
		g = diag_add(d, SEV_ERROR, "policy.unquoted", at, MP_UNQUOTED, w);
		diag_hint(d, g, MP_HINT_QUOTE, day);
	} else if (is_number(w)) {
		g = diag_add(d, SEV_ERROR, "policy.number", at, MP_NUMBER_BIG, w);
	} else if (is_fraction(w)) {
		g = diag_add(d, SEV_ERROR, "policy.number", at, MP_NUMBER_FRACTION, w);
	} else if (strcasecmp(w, "yes") == 0 || strcasecmp(w, "no") == 0 || strcasecmp(w, "on") == 0 ||
		   strcasecmp(w, "off") == 0) {
		g = diag_add(d, SEV_ERROR, "policy.unquoted", at, MP_UNQUOTED, w);
		diag_hint(d, g, MP_HINT_TRUTH);
	} else if (*w == '@' || *w == '\\') {
		g = diag_add(d, SEV_ERROR, "policy.syntax", at, MP_UNEXPECTED, (int)*w);
		diag_hint(d, g, *w == '@' ? MP_HINT_SETTING : MP_HINT_REMOVE);
	} else {
		g = diag_add(d, SEV_ERROR, "policy.unquoted", at, MP_UNQUOTED, w);
		value = meant_unquoted(s->c->arena, w);
		if (strchr(w, '\\') != NULL)
			diag_hint(d, g, MP_HINT_ESCAPE);
		else if (value != NULL)
			diag_hint(d, g, MP_HINT_WRITE, value);
		else
			diag_hint(d, g, MP_HINT_QUOTE, w);
	}
	g->width = width;
}

bool scan_scalar(struct scan *s, struct ast_node *node)
{
	struct srcpos at = s->cur->at;
	const char *w = scan_run(s, ";,{}()[]\"=#", &node->value_width);

	if (w == NULL) {
		s->stopped = true;
		return false;
	}
	if (node->value_width == 0)
		return false;
	node->kind = AST_STRING;
	if (is_number(w) && fits(w)) {
		const char *first = *w == '-' || *w == '+' ? w + 1 : w;

		node->kind = AST_NUMBER;
		if (first[0] == '0' && first[1] >= '0' && first[1] <= '9' && scan_fresh(s, at))
			diag_add(&s->c->diags, SEV_ERROR, "policy.number", at, MP_NUMBER_ZERO, w)->width =
				node->value_width;
	} else if (strcasecmp(w, "true") == 0 || strcasecmp(w, "false") == 0) {
		node->kind = AST_BOOL;
	} else {
		accident(s, at, node->value_width, w, node->name);
	}
	return true;
}
