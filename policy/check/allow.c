/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a service's `allow` list: the protocol's vocabulary turns words, names and ranges into
 * sets. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/wire/notation.h"
#include "policy/check/check.h"
#include "policy/check/effect.h"
#include "policy/check/keys.h"
#include "policy/check/meant.h"
#include "policy/check/model.h"
#include "policy/check/model_rows.h"
#include "policy/check/names.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"
#include "policy/check/values.h"

/* Lists of numbers, ranges and paths in a policy: read by their notation; a mistake is reported at
 * its place. */

struct numbers {
	struct number_range *list;
	size_t n;
};

#define FORM_TEXT 64u /* "block.byte.bit" */

/* Finds the place of a mistake inside the value, if the policy has its text literally. */
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

/* Asks whether "10" was a hexadecimal number of a document, or a decimal one. */
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

/* Whether the first part is nearly a name; then a hint gives the right one. */
static bool name_hint(struct check *k, struct diag *g, const struct number_names *names, const char *text)
{
	const char **known = arena_array(k->a, names->n, sizeof(*known));
	const char *word = arena_printf(k->a, "%.*s", (int)strcspn(text, ".:["), text), *near;

	for (unsigned i = 0; i < names->n && known != NULL; i++)
		known[i] = names->list[i].name;
	near = known != NULL && word != NULL ? word_nearest(word, known, names->n) : NULL;
	return near != NULL && strcmp(near, word) != 0 && check_near(k, g, word, known, names->n);
}

/* Suggests what was meant, with the value that was written, or shows the form. */
static void hint(struct check *k, struct diag *g, const struct notation *n, const char *text,
		 const struct notation_mistake *wrong)
{
	bool decimal = wrong->fault == NOTATION_DECIMAL;
	const char *meant = k->d->errors <= DIAG_SHOWN && !decimal ? meant_number(k->a, n, text) : NULL;

	if (k->d->errors <= DIAG_SHOWN && n->names != NULL && n->names[0] != NULL && name_hint(k, g, n->names[0], text))
		return;
	if (meant_everything(text))
		diag_hint(k->d, g, MP_HINT_EMPTY_ALLOW);
	else if (meant != NULL)
		diag_hint(k->d, g, MP_HINT_WRITE, meant);
	else if (decimal)
		decimal_hint(k, g, text + wrong->at, wrong->width);
	else if (wrong->fault == NOTATION_BACKWARDS)
		diag_hint(k->d, g, MP_HINT_BACKWARDS);
	else if (wrong->fault == NOTATION_NO_NAME)
		diag_hint(k->d, g, MP_HINT_TAG);
	else
		numbers_hint(k, g, n);
}

/* Reads one value of the list `key`. False: it was refused. */
static bool number_of_text(struct check *k, const struct ast_node *node, const char *key, struct notation n,
			   struct object o, struct number_range *ret)
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
		wrong.width = 0; /* mark the whole text */
	place_of(node, text, &wrong, &at, &width);
	g = check_say(k, SEV_ERROR, "policy.range", at, width,
		      wrong.fault == NOTATION_HIGH	? MP_RANGE_HIGH
		      : wrong.fault == NOTATION_DECIMAL ? MP_RANGE_DECIMAL
							: MP_RANGE_BAD,
		      o, text, key);
	hint(k, g, &n, text, &wrong);
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

/* All values that are valid, sorted, overlapping and adjacent ones joined; in the arena. */
static struct numbers numbers_of(struct check *k, const struct ast_node *list, struct notation n, struct object o)
{
	return numbers_read(k, list, n, o, false);
}

/* The same, but adjacent values stay separate. */
static struct numbers numbers_each(struct check *k, const struct ast_node *list, struct notation n, struct object o)
{
	return numbers_read(k, list, n, o, true);
}

#define ALLOW_N (3 + TARGET_MAX + SPACE_MAX)
_Static_assert(ALLOW_N <= KEYS_MAX, "more keys than can be read");

static size_t allow_keys(const struct vocabulary *v, struct key ret[ALLOW_N])
{
	size_t n = 0;

	ret[n++] = (struct key){ "commands", .kinds = AST_LISTS };
	ret[n++] = (struct key){ "functions", .kinds = AST_LISTS };
	for (size_t i = 0; i < v->n_targets; i++)
		ret[n++] = (struct key){ v->targets[i].key, .kinds = AST_LISTS };
	ret[n++] = (struct key){ "values", .kinds = AST_LISTS };
	for (size_t i = 0; i < v->n_spaces; i++)
		ret[n++] = (struct key){ v->spaces[i].key, .kinds = AST_LISTS };
	return n;
}

/* Collects the nodes of those keys. */
static struct allow_nodes allow_nodes(const struct vocabulary *v, const struct ast_node *const *read)
{
	return (struct allow_nodes){ .commands = read[0],
				     .functions = read[1],
				     .targets = read + 2,
				     .values = read[2 + v->n_targets],
				     .spaces = read + 3 + v->n_targets };
}

#define DOCUMENTED 9999u /* the largest number behind the digit for the kind in a document */

unsigned classes_of(struct check *k, const struct ast_node *list, const struct vocabulary *v, struct object o)
{
	unsigned ret = 0;

	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING, o)) != NULL;) {
		unsigned bit = command_class(c->string);

		if (bit == 0) {
			struct diag *g =
				check_value(k, SEV_ERROR, "policy.unknown_word", c, MP_NO_COMMAND, o, c->string);

			diag_hint(k->d, g, MP_HINT_ONE_OF, "read, write, control, program, diagnose");
			/* The word nearest to a function's name would allow more than that
			 * function. */
			if (v != NULL && function_by_name(v, c->string) != NULL)
				diag_hint(k->d, g, MP_HINT_IS_FUNCTION, c->string);
			else if (meant_everything(c->string))
				diag_hint(k->d, g, MP_HINT_EMPTY_ALLOW);
			else
				check_near(k, g, c->string, command_class_words, words_n(command_class_words));
		}
		ret |= bit;
	}
	check_not_empty(k, list, o, MP_HINT_EMPTY_ALLOW);
	return ret;
}

/* Adds a function, and those that are the same to people if the row limits what tells
 * them apart. */
static void named_function(const struct vocabulary *v, const struct allow_nodes *n, const struct function_info *f,
			   struct numbers *ret)
{
	ret->list[ret->n++] = (struct number_range){ f->code, f->last };
	for (unsigned i = 0; i < v->n_siblings; i++)
		if (v->siblings[i].code == f->code && n->targets[v->siblings[i].target] != NULL)
			ret->list[ret->n++] = (struct number_range){ v->siblings[i].other, v->siblings[i].other };
}

/* Adds the codes that the list names. */
static void named_functions(struct check *k, const struct allow_nodes *n, const struct vocabulary *v, struct object o,
			    struct numbers *ret)
{
	const struct ast_node *list = n->functions;
	const char **known = arena_array(k->a, v->n_functions, sizeof(*known));

	if (list == NULL)
		return;
	for (unsigned i = 0; i < v->n_functions && known != NULL; i++)
		known[i] = v->functions[i].name;
	for (const struct ast_node *c = NULL; (c = list_next(k, list, c, AST_STRING | AST_NUMBER, o)) != NULL;) {
		const struct function_info *f = c->kind == AST_STRING ? function_by_name(v, c->string) : NULL;
		struct diag *g;

		if (f != NULL) {
			named_function(v, n, f, ret);
		} else if (c->kind == AST_NUMBER || (c->string[0] >= '0' && c->string[0] <= '9')) {
			if (number_of_text(k, c, list->name, notation_of_codes(v), o, &ret->list[ret->n]))
				ret->n++;
		} else {
			g = check_say(k, SEV_ERROR, "policy.unknown_function", c->value_at, c->value_width,
				      MP_NO_FUNCTION, o, c->string, protocol_info(v->protocol)->name);
			if (command_class(c->string) != 0)
				diag_hint(k->d, g, MP_HINT_IS_COMMAND, c->string);
			else if (meant_everything(c->string))
				diag_hint(k->d, g, MP_HINT_EMPTY_ALLOW);
			else if (known != NULL)
				check_near(k, g, c->string, known, v->n_functions);
		}
	}
	check_not_empty(k, list, o, MP_HINT_EMPTY_ALLOW);
}

/*
 * Adds the codes of functions all of whose classes are wanted: a function that reads and writes
 * needs both. Functions with a different format in some servers are left out, and must be named in
 * the policy.
 */
static void class_functions(const struct vocabulary *v, unsigned classes, struct numbers *ret)
{
	for (unsigned i = 0; i < v->n_functions; i++)
		if ((v->functions[i].classes & ~classes) == 0 && v->functions[i].framing != FRAMING_APART)
			ret->list[ret->n++] = (struct number_range){ v->functions[i].code, v->functions[i].last };
}

static void row_functions(struct check *k, const struct ast_node *row, const struct allow_nodes *n,
			  const struct vocabulary *voc, struct object o, struct command_row *a)
{
	bool all = n->commands == NULL && n->functions == NULL;
	size_t named = n->functions != NULL ? n->functions->n : 0;
	size_t most = voc->n_functions + named * (1 + voc->n_siblings);
	struct numbers codes = { arena_array(k->a, most, sizeof(*codes.list)), 0 };
	unsigned classes = all ? CLASS_ALL : classes_of(k, n->commands, voc, o);
	struct diag *g;

	if (codes.list == NULL)
		return;
	class_functions(voc, classes, &codes);
	if (!all)
		named_functions(k, n, voc, o, &codes);
	rows_numbers(&k->m->rows, k->a, codes.list, codes.n, &a->services);
	if (classes == 0 || a->services.n > 0)
		return;
	g = check_say(k, SEV_WARNING, "policy.no_effect", row->at, 1, MP_ROW_NOTHING, o,
		      protocol_info(voc->protocol)->name, "");
	diag_hint(k->d, g, MP_HINT_ROW_NOTHING, protocol_info(voc->protocol)->name);
}

/* An empty list leaves the set as it is. A target of several devices, such as Modbus's broadcast,
 * must be given by number. */
static void row_target(struct check *k, const struct ast_node *list, const struct target_info *t, struct object o,
		       struct number_set *ret)
{
	struct numbers targets;

	if (list == NULL)
		return;
	targets = numbers_of(k, list, notation_of_target(t), o);
	rows_numbers(&k->m->rows, k->a, targets.list, targets.n, ret);
	check_not_empty(k, list, o, MP_HINT_EMPTY_ALLOW);
}

static bool writes(const struct check *k, const struct vocabulary *voc, const struct command_row *a)
{
	for (uint32_t i = 0; i < a->services.n; i++) {
		const struct number_range *r = &k->m->rows.t.ranges[a->services.first + i];

		for (unsigned f = 0; f < voc->n_functions; f++)
			if (voc->functions[f].code <= r->hi && voc->functions[f].last >= r->lo &&
			    function_writes(voc, &voc->functions[f]))
				return true;
	}
	return false;
}

/* Reads `values`, when functions, targets and addresses of the row are known. */
static void row_values(struct check *k, const struct ast_node *list, const struct vocabulary *voc, struct object o,
		       struct command_row *a)
{
	struct value_reader r = { k, voc, a, o };
	struct number_range *all = arena_array(k->a, VALUE_RANGES * list->n, sizeof(*all));
	size_t n = 0, more;

	for (const struct ast_node *c = NULL;
	     all != NULL && (c = list_next(k, list, c, AST_STRING | AST_NUMBER, o)) != NULL; n += more) {
		if (value_read(&r, c, all + n, &more))
			continue;
		more = number_of_text(k, c, list->name, notation_plain(voc->value_max), o, all + n);
		if (more > 0)
			value_is_raw(&r, c, all[n]);
	}
	rows_numbers(&k->m->rows, k->a, all, n, &a->values);
	check_not_empty(k, list, o, MP_HINT_EMPTY_ALLOW);
}

static bool sizes_are_said(const struct vocabulary *voc)
{
	for (size_t i = 0; i < voc->n_spaces; i++)
		if (voc->spaces[i].value_sizes != 0)
			return true;
	return false;
}

/* Where clients choose a value's width, `values` need an address for each value. */
static void each_a_value(struct check *k, const struct ast_node *list, const struct space_info *space,
			 const struct numbers *r, struct object o)
{
	struct notation n = notation_of_space(space);
	char text[NOTATION_TEXT];

	for (size_t i = 0; i < r->n; i++) {
		if (space_value(space, r->list[i].lo, r->list[i].hi))
			continue;
		notation_text(&n, r->list[i], text);
		check_say(k, SEV_ERROR, "policy.values_apart", list->value_at, list->value_width, MP_NOT_A_VALUE, o,
			  text, list->name);
	}
}

/* Warns about documents' numbers, which count data from 1 behind a digit for the kind: 40001 is the
 * first holding register. */
static void documents_numbers(struct check *k, const struct ast_node *list, uint64_t base, const struct numbers *r,
			      struct object o)
{
	struct notation plain = notation_plain(UINT32_MAX);
	char one[NOTATION_TEXT];
	const char *text = "";
	struct diag *g;

	if (base == 0 || r->n == 0)
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].lo < base || r->list[i].hi >= base + DOCUMENTED)
			return;
	g = check_value(k, SEV_WARNING, "policy.address_style", list, MP_DOCUMENTS_NUMBERS, o, list->name);
	for (size_t i = 0; i < r->n && text != NULL; i++) {
		struct number_range here = { r->list[i].lo - base, r->list[i].hi - base };

		notation_text(&plain, here, one);
		text = arena_printf(k->a, "%s%s\"%s\"", text, i > 0 ? ", " : "", one);
	}
	if (text != NULL)
		diag_hint(k->d, g, MP_HINT_DOCUMENTS_NUMBERS, list->name, text);
}

/* "0x0001", "00001": how manuals number the kind of data whose leading digit is 0. */
static bool is_counted(const char *text, uint64_t *ret)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	size_t n;

	text += hex ? 2 : 0;
	n = strspn(text, "0123456789");
	*ret = strtoull(text, NULL, 10);
	return n >= (hex ? 4 : 5) && n <= 6 && text[n] == '\0' && text[0] == '0' && *ret > 0;
}

/* Ranges such as "0x0001-0x0010" or "0x0001-0010". */
static bool are_counted(struct check *k, const char *text, struct number_range *ret)
{
	const char *dash = strchr(text, '-'),
		   *first = dash != NULL ? arena_strndup(k->a, text, (size_t)(dash - text)) : text;
	char *end;

	if (first == NULL || !is_counted(first, &ret->lo))
		return false;
	ret->hi = ret->lo;
	if (dash == NULL)
		return true;
	if (is_counted(dash + 1, &ret->hi))
		return ret->hi >= ret->lo;
	ret->hi = strtoull(dash + 1, &end, 10);
	return *end == '\0' && ret->hi >= ret->lo;
}

/* When other spaces are given as document numbers, a number with a leading zero probably is one
 * too. 0x0001 then means the first address, whose number here is 0. */
static void counted_numbers(struct check *k, const struct ast_node *list, const struct vocabulary *voc,
			    const struct space_info *space, struct object o)
{
	struct notation plain = notation_plain(UINT32_MAX);
	bool documents = false;
	const char *text = "";
	char one[NOTATION_TEXT];
	struct diag *g;

	for (size_t i = 0; i < voc->n_spaces; i++)
		documents |= voc->spaces[i].documented != 0;
	if (!documents || space->documented != 0 || space->hex || list->n == 0)
		return;
	for (const struct ast_node *c = list->child; c != NULL && text != NULL; c = c->next) {
		const char *word =
			c->kind == AST_STRING ? c->string
			: c->hex && c->value_width > 5
				? arena_printf(k->a, "0x%0*lx", (int)c->value_width - 2, (unsigned long)c->number)
				: NULL;
		struct number_range r;

		if (word == NULL || !are_counted(k, word, &r))
			return;
		r.lo--;
		r.hi--;
		notation_text(&plain, r, one);
		text = arena_printf(k->a, "%s%s\"%s\"", text, c != list->child ? ", " : "", one);
	}
	g = check_value(k, SEV_WARNING, "policy.address_style", list, MP_COUNTED_NUMBERS, o, list->name);
	if (text != NULL)
		diag_hint(k->d, g, MP_HINT_DOCUMENTS_NUMBERS, list->name, text);
}

/* `limited`: the row limits the values of its writes. */
static void row_space_of(struct check *k, const struct ast_node *list, const struct vocabulary *voc, uint8_t s,
			 bool limited, struct object o, struct command_row *a)
{
	const struct space_info *space = &voc->spaces[s];
	bool each = limited && space->value_sizes != 0;
	struct numbers r = (each ? numbers_each : numbers_of)(k, list, notation_of_space(space), o);

	rows_space(&k->m->rows, k->a, a, s, r.list, r.n);
	if (each)
		each_a_value(k, list, space, &r, o);
	check_not_empty(k, list, o, MP_HINT_EMPTY_ALLOW);
	documents_numbers(k, list, space->documented, &r, o);
	if (r.n > 0)
		counted_numbers(k, list, voc, space, o);
}

static void one_row(struct check *k, const struct ast_node *row, const struct vocabulary *voc, struct object o,
		    struct model_allow *ret)
{
	const struct ast_node *read[ALLOW_N];
	struct command_row *a = &ret->row;
	struct key keys[ALLOW_N];
	size_t n = allow_keys(voc, keys), errors = k->d->errors;
	struct allow_nodes nodes;
	bool limited;

	*ret = (struct model_allow){ .row = row_new(), .at = row->at };
	if (!keys_read(k, row, keys, n, o, ret, read))
		return;
	nodes = allow_nodes(voc, read);
	row_functions(k, row, &nodes, voc, o, a);
	for (size_t i = 0; i < voc->n_targets; i++)
		row_target(k, nodes.targets[i], &voc->targets[i], o, &a->targets[i]);
	limited = nodes.values != NULL && writes(k, voc, a);
	for (size_t i = 0; i < voc->n_spaces; i++)
		if (nodes.spaces[i] != NULL)
			row_space_of(k, nodes.spaces[i], voc, (uint8_t)i, limited, o, a);
	if (nodes.values != NULL)
		row_values(k, nodes.values, voc, o, a);
	if (limited && a->spaces_any && sizes_are_said(voc))
		check_say(k, SEV_ERROR, "policy.values_apart", nodes.values->at, nodes.values->width,
			  MP_VALUES_ANYWHERE, o, "", "");
	if (k->d->errors == errors)
		effect_of_row(k, row, &nodes, voc, o, a);
}

void check_allows(struct check *k, const struct ast_node *list, struct model_service *s)
{
	const struct vocabulary *voc = vocabulary_of(s->protocol);
	struct object o = { MP_OBJ_ALLOW, s->name };

	s->allows = arena_array(k->a, list->n, sizeof(s->allows[0]));
	for (const struct ast_node *c = NULL; s->allows != NULL && (c = list_next(k, list, c, AST_GROUP, o)) != NULL;)
		one_row(k, c, voc, o, &s->allows[s->n_allows++]);
	effect_of_rows(k, voc, o, s);
}
