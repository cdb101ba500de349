/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/numbers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check/meant.h"
#include "policy/check/rows.h"

#define FORM_TEXT 64u /* "block.byte.bit" */

/* Where in the value the mistake stands, if its text stands in the policy as it is. */
static void place_of(const struct ast_node *node, const char *text, const struct notation_mistake *wrong,
		     struct srcpos *ret_at, uint32_t *ret_width)
{
	uint32_t quotes = node->kind == AST_STRING ? 2 : 0;

	*ret_at = node->value_at;
	*ret_width = node->value_width;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			return;
	if (wrong->width == 0 || node->value_width != strlen(text) + quotes)
		return;
	ret_at->column += quotes / 2 + (uint32_t)wrong->at;
	*ret_width = (uint32_t)wrong->width;
}

/* "10" may be the hexadecimal number of a document, or was counted in tens. */
static void decimal_hint(struct check *k, struct diag *g, const char *digits, size_t n)
{
	char text[24];
	uint64_t v;

	snprintf(text, sizeof(text), "%.*s", (int)n, digits);
	v = strtoull(text, NULL, 10);
	if (n >= sizeof(text) || text[strspn(text, "0123456789")] != '\0' || v < 10)
		diag_hint(k->d, g, MP_HINT_HEX, text);
	else
		diag_hint(k->d, g, MP_HINT_HEX_OR, text, (unsigned long long)v, text);
}

static void numbers_hint(struct check *k, struct diag *g, const struct notation *n)
{
	char form[FORM_TEXT];

	notation_form(n, form, sizeof(form));
	if (n->n > 1)
		diag_hint(k->d, g, n->hex ? MP_HINT_PATH_HEX : MP_HINT_PATH, form);
	else
		diag_hint(k->d, g, n->hex ? MP_HINT_NUMBERS_HEX : MP_HINT_NUMBERS, (unsigned long long)n->max);
}

/* What was meant, with the value that was written. Decimal where hexadecimal is wanted may be either; there both are shown. */
static bool meant_hint(struct check *k, struct diag *g, const struct notation *n, const char *key, const char *text)
{
	bool several;
	const char *meant = meant_number(k->a, k->words, key, n, text, &several), *other;

	if (meant != NULL) {
		diag_hint(k->d, g, several ? MP_HINT_SEVERAL : MP_HINT_WRITE, meant);
		return true;
	}
	meant = meant_elsewhere(k->a, k->words, text, &other);
	if (meant != NULL)
		diag_hint(k->d, g, MP_HINT_ELSEWHERE, other, other, meant);
	return meant != NULL;
}

static void hint(struct check *k, struct diag *g, const struct notation *n, const char *key, const char *text,
		 const struct notation_mistake *wrong)
{
	if (k->d->errors > DIAG_SHOWN || (wrong->fault != NOTATION_DECIMAL && meant_hint(k, g, n, key, text)))
		return;
	switch (wrong->fault) {
	case NOTATION_BACKWARDS:
		diag_hint(k->d, g, MP_HINT_BACKWARDS);
		return;
	case NOTATION_HIGH:
		if (n->n > 1)
			diag_hint(k->d, g, n->hex ? MP_HINT_PART_HEX : MP_HINT_PART, n->parts[wrong->part].what,
				  (unsigned long long)wrong->max);
		else
			numbers_hint(k, g, n);
		return;
	case NOTATION_DECIMAL:
		decimal_hint(k, g, text + wrong->at, wrong->width);
		return;
	case NOTATION_NO_NAME:
		diag_hint(k->d, g, MP_HINT_TAG);
		return;
	case NOTATION_GOOD:
	case NOTATION_UNREADABLE:
	case NOTATION_SEVERAL:
	case NOTATION_DEEP:
	case NOTATION_EARLY:
		numbers_hint(k, g, n);
	}
}

bool number_of_text(struct check *k, const struct ast_node *node, const char *key, struct notation n, struct object o,
		    struct number_range *ret)
{
	struct notation_mistake wrong;
	const char *text = node->string;
	struct srcpos at;
	uint32_t width;
	char number[24];
	struct diag *g;

	if (node->kind == AST_NUMBER) {
		snprintf(number, sizeof(number), node->hex && node->number >= 0 ? "0x%" PRIx64 : "%" PRId64,
			 (uint64_t)node->number);
		text = number;
	}
	if (notation_read(&n, text, ret, &wrong))
		return true;
	if (wrong.fault == NOTATION_UNREADABLE || wrong.fault == NOTATION_NO_NAME || wrong.fault == NOTATION_SEVERAL)
		wrong.width = 0; /* all of it */
	place_of(node, text, &wrong, &at, &width);
	g = check_say(k, SEV_ERROR, "policy.range", at, width,
		      wrong.fault == NOTATION_HIGH	? MP_RANGE_HIGH
		      : wrong.fault == NOTATION_DECIMAL ? MP_RANGE_DECIMAL
							: MP_RANGE_BAD,
		      both_object(k, o), both_same(text), both_same(key));
	hint(k, g, &n, key, text, &wrong);
	return false;
}

static struct numbers numbers_read(struct check *k, const struct ast_node *list, struct notation n, struct object o,
				   bool apart)
{
	struct numbers r = { arena_array(k->a, list->n, sizeof(*r.list)), 0 };

	for (const struct ast_node *c = NULL;
	     r.list != NULL && (c = list_next(k, list, c, AST_STRING | AST_NUMBER, o)) != NULL;)
		if (number_of_text(k, c, list->name, n, o, &r.list[r.n]))
			r.n++;
	r.n = numbers_tidy(r.list, r.n, apart);
	return r;
}

struct numbers numbers_of(struct check *k, const struct ast_node *list, struct notation n, struct object o)
{
	return numbers_read(k, list, n, o, false);
}

struct numbers numbers_each(struct check *k, const struct ast_node *list, struct notation n, struct object o)
{
	return numbers_read(k, list, n, o, true);
}
