/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of libconfig, read by recursive descent so that an error has a place and the rest is
 * still read:
 *
 *   settings = { name ("=" | ":") value [";" | ","] }
 *   value    = "{" settings "}" | "(" values ")" | "[" scalars "]"
 *            | string { string } | number | true | false
 *
 * `@include "file"` may stand wherever a setting or an element may begin. Each text must close what
 * it opens.
 */
#include "policy/read/scanner.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Reads a value of any kind. */
static void value(struct scan *s, struct ast_node *node, bool in_array);
/* Reads one `name = value;` into `group`. */
static void setting(struct scan *s, struct ast_node *group, struct scan_tail *t);
/* Reads up to `closer`. `opener_indent` is the column of the setting with this value; 0: the value
 * began on another line. */
static void settings(struct scan *s, struct ast_node *group, char closer, struct srcpos opener, uint32_t opener_indent);
static void elements(struct scan *s, struct ast_node *list, char closer, struct srcpos opener, uint32_t opener_indent);
/* Reads a group whose opening bracket was forgotten, from its first setting on. */
static void unopened(struct scan *s, struct ast_node *node);

/* ---- elements of ( ) and [ ], and their commas ----------------------------------------------- */

/* Whether `name = value` stands where an element should be. Then its braces were forgotten; or, if
 * it begins no further right than the setting of the list, the list's closing bracket
 * (*ret_over). */
static bool element_is_setting(struct scan *s, struct srcpos opener, uint32_t opener_indent, bool *ret_over)
{
	struct scan_cursor before = *s->cur;
	uint32_t width;
	const char *word = scan_run(s, "=:;,{}()[]\"#", &width);
	bool is;

	scan_blank(s);
	is = word != NULL && scan_is_name(word) && scan_peek(s) == '=';
	before.reported = s->cur->reported;
	*s->cur = before;
	*ret_over = is && before.at.line != opener.line && before.at.column <= opener_indent;
	if (!is || *ret_over)
		return is;
	s->braceless = true;
	if (scan_breaks(s, before.at)) {
		struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", before.at, MP_NO_BRACES, word);

		g->width = width;
	}
	return true;
}

/* At a ';' behind an element: the settings continue as if the list had been closed. */
static bool semicolon_ends_list(struct scan *s)
{
	struct scan_cursor before = *s->cur;
	uint32_t width;
	const char *word;
	bool ends;

	scan_step(s);
	scan_blank(s);
	ends = scan_peek(s) == 0 || (scan_peek(s) == '}' && scan_awaited(s, '}'));
	if (!ends && strchr("{}()[]\"@", scan_peek(s)) == NULL) {
		word = scan_run(s, "=:;,{}()[]\"#", &width);
		scan_blank(s);
		ends = word != NULL && scan_is_name(word) && (scan_peek(s) == '=' || scan_peek(s) == ':');
	}
	before.reported = s->cur->reported;
	*s->cur = before;
	return ends;
}

static void text_of_elements(struct scan *s, struct ast_node *list)
{
	elements(s, list, 0, s->cur->at, 0);
}

/* An array holds values of one kind; a list holds anything. */
static void check_array(struct scan *s, const struct ast_node *list, const struct ast_node *node)
{
	if (list->kind != AST_ARRAY || (node->kind & (AST_STRING | AST_NUMBER | AST_BOOL)) == 0 ||
	    node->kind == list->child->kind || (list->child->kind & (AST_STRING | AST_NUMBER | AST_BOOL)) == 0)
		return;
	if (scan_fresh(s, node->at)) {
		struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.array", node->at, MP_ARRAY_MIXED);

		g->width = node->width;
		g->also = list->child->at;
	}
}

static void read_elements(struct scan *s, struct ast_node *list, char closer, struct srcpos opener,
			  uint32_t opener_indent)
{
	struct scan_tail t = scan_tail_of(list);
	struct srcpos comma = { 0 };
	bool separated = true, any = false;

	while (!s->stopped) {
		struct srcpos behind = s->cur->at;
		struct ast_node *node;
		struct scan_tail inner;
		bool setting_here, over = false, had_comma = separated, had_any = any;
		const char *from;
		char c;

		scan_blank(s);
		c = scan_peek(s);
		if (scan_resumes(s))
			return;
		if ((c == closer || c == 0) && any && separated && scan_misfit(s, comma))
			diag_add(&s->c->diags, SEV_ERROR, "policy.trailing_comma", comma, MP_TRAILING_COMMA);
		if (scan_at_end(s, closer, opener))
			return;
		c = scan_peek(s);
		if (c == ';' && closer != 0 && any && !separated && semicolon_ends_list(s)) {
			bool broken = s->broken;

			scan_report_unclosed(s, s->cur->at, closer, opener);
			/* this error has no consequences: the list's end is known */
			s->broken = broken;
			return;
		}
		if (c == ',' || c == ';') {
			scan_sign(s);
			comma = s->cur->at;
			if ((separated || c == ';') && scan_misfit(s, comma))
				diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", comma,
					 c == ';' ? MP_LIST_SEMICOLON : MP_EMPTY_ELEMENT);
			scan_step(s);
			separated = any = true;
			continue;
		}
		setting_here = strchr("{([\"@", c) == NULL && element_is_setting(s, opener, opener_indent, &over);
		if (setting_here && over) {
			scan_report_unclosed(s, s->cur->at, closer, opener);
			return;
		}
		if (!separated && !setting_here && scan_misfit(s, behind))
			diag_add(&s->c->diags, SEV_ERROR, "policy.missing_comma", behind, MP_NO_COMMA);
		separated = false;
		any = true;
		if (c == '@') {
			uint32_t had = list->n;

			if (!scan_include(s, list, text_of_elements))
				continue;
			t = scan_tail_of(list);
			if (list->n == had) { /* an included text without elements is no element */
				separated = had_comma;
				any = had_any;
			}
			continue;
		}
		if (setting_here) {
			struct ast_node *scrap = scan_node(s);

			if (scrap == NULL)
				return;
			inner = scan_tail_of(scrap);
			/* the element's own brace is missing */
			if (scan_balance(s) == LACKS_OPENER) {
				from = s->cur->p;
				unopened(s, scrap);
				if (s->cur->p == from)
					scan_step(s);
				continue;
			}
			setting(s, scrap, &inner);
			separated = true; /* the separator after the setting was read with it */
			any = false;
			continue;
		}
		node = scan_node(s);
		if (node == NULL)
			return;
		from = s->cur->p;
		value(s, node, list->kind == AST_ARRAY);
		if (s->cur->p == from) {
			scan_report_unexpected(s, s->cur->at, MP_HINT_ELEMENT);
			scan_step(s);
			continue;
		}
		scan_append(list, &t, node);
		check_array(s, list, node);
	}
}

static void elements(struct scan *s, struct ast_node *list, char closer, struct srcpos opener, uint32_t opener_indent)
{
	bool broken = s->broken, braceless = s->braceless;

	s->braceless = false;
	read_elements(s, list, closer, opener, opener_indent);
	if (s->braceless) /* errors that follow from settings without braces end with the list */
		s->broken = broken;
	s->braceless = braceless;
}

/* ---- opening brackets ------------------------------------------------------------------------ */

static bool opens(struct scan *s, char closer)
{
	if (s->depth == SCAN_DEPTH_MAX) {
		diag_add(&s->c->diags, SEV_ERROR, "policy.too_deep", s->cur->at, MP_TOO_DEEP, (unsigned)SCAN_DEPTH_MAX);
		s->last = s->cur->at; /* no further error is reported on this line */
		s->stopped = true;
		return false;
	}
	s->closers[s->depth++] = closer;
	return true;
}

static uint32_t indent_of(const struct scan *s, const struct ast_node *node)
{
	return node->name != NULL && node->at.line == s->cur->at.line ? node->at.column : 0;
}

/* Behind "{": whether a text comes next, and "," or "}" after it. (In JSON, a ":" would come after
 * it.) */
static bool texts_follow(struct scan *s)
{
	const char *p = s->cur->p;

	if (p == s->cur->end || *p != '"')
		return false;
	for (p++; p < s->cur->end && *p != '"' && *p != '\n'; p++)
		continue;
	if (p == s->cur->end || *p != '"')
		return false;
	for (p++; p < s->cur->end && (*p == ' ' || *p == '\t'); p++)
		continue;
	return p < s->cur->end && (*p == ',' || *p == '}');
}

/* Behind "{": whether elements come next, and not settings; reports this. A list of groups is
 * written in "( )", a list of texts in "[ ]". */
static bool elements_follow(struct scan *s, struct srcpos opener)
{
	scan_blank(s);
	if (texts_follow(s) && !s->broken) {
		if (scan_misfit(s, opener))
			diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", opener, MP_TEXTS_IN_BRACES);
		return true;
	}
	if (scan_peek(s) != '{' || s->broken)
		return false;
	if (scan_balance(s) == LACKS_CLOSER) {
		scan_extra_sign(s);
		return false;
	}
	if (scan_breaks(s, opener))
		diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", opener, MP_LIST_IN_BRACES);
	return true;
}

/* Reads from an opening bracket `c` to its end, as the value of `node`. */
static void bracket(struct scan *s, struct ast_node *node, char c)
{
	struct srcpos opener = s->cur->at;
	char closer = c == '{' ? '}' : c == '(' ? ')' : ']';
	uint32_t indent = indent_of(s, node);

	node->kind = c == '{' ? AST_GROUP : c == '(' ? AST_LIST : AST_ARRAY;
	node->value_width = 1;
	if (!opens(s, closer))
		return;
	scan_step(s);
	if (c == '{' && elements_follow(s, opener)) {
		node->kind = AST_LIST;
		elements(s, node, closer, opener, indent);
	} else if (c == '{')
		settings(s, node, closer, opener, indent);
	else
		elements(s, node, closer, opener, indent);
	s->depth--;
}

static void unopened(struct scan *s, struct ast_node *node)
{
	node->kind = AST_GROUP;
	node->value_at = s->cur->at;
	node->value_width = 1;
	if (!opens(s, '}'))
		return;
	settings(s, node, '}', s->cur->at, indent_of(s, node));
	s->depth--;
}

/* ---- settings and their values --------------------------------------------------------------- */

/* Skips to where a new setting may begin: behind the next ';' of this line, or on the next line. A
 * list on the way is skipped whole, so its closing bracket closes nothing else. */
static void skip_setting(struct scan *s)
{
	uint32_t open = 0;
	bool quoted = false; /* only inside a list: elsewhere the quote may be the error */

	while (s->cur->p < s->cur->end && *s->cur->p != '\n') {
		char c = *s->cur->p;

		if (c == '"')
			quoted = open > 0 && !quoted;
		else if (!quoted && (c == '{' || c == '(' || c == '['))
			open++;
		else if (!quoted && (c == '}' || c == ')' || c == ']') && open-- == 0)
			return;
		scan_step(s);
		if (c == ';' && open == 0)
			return;
	}
}

/* Adjacent strings are one value in libconfig; in a list this is a forgotten comma. */
static void strings(struct scan *s, struct ast_node *node)
{
	struct scan_cursor behind;
	uint32_t ignored;

	node->kind = AST_STRING;
	scan_string(s, &node->value_width);
	while (node->name != NULL) {
		behind = *s->cur;
		scan_blank(s);
		if (scan_peek(s) != '"') {
			behind.reported = s->cur->reported;
			*s->cur = behind; /* a missing ';' belongs directly behind the value */
			return;
		}
		scan_string(s, &ignored);
	}
}

static void value(struct scan *s, struct ast_node *node, bool in_array)
{
	char c = scan_peek(s);

	node->value_at = s->cur->at;
	if (node->name == NULL) {
		node->at = s->cur->at;
		node->width = 1;
	}
	if (c == '{' || c == '(' || c == '[') {
		if (in_array && scan_breaks(s, s->cur->at))
			diag_add(&s->c->diags, SEV_ERROR, "policy.array", s->cur->at, MP_ARRAY_NESTED);
		scan_sign(s);
		bracket(s, node, c);
		return;
	}
	if (c == '"')
		strings(s, node);
	else if (!scan_scalar(s, node))
		node->kind = AST_STRING;
	if (node->name == NULL)
		node->width = node->value_width;
}

/*
 * At the sign `c` behind a value. If it is a closing bracket without an opener, or a "," before
 * another value, the list's opening bracket was forgotten, or the closing one is one too many. Then
 * reports this, reads to the end of the list and returns true.
 */
static bool without_opener(struct scan *s, const struct ast_node *node, char c)
{
	char opener = node->kind == AST_GROUP ? '(' : '[', closer = node->kind == AST_GROUP ? ')' : ']';
	bool has_one = c == ']' && (node->kind & (AST_ARRAY | AST_LIST)) != 0;
	struct scan_cursor before = *s->cur;
	struct diag *g;
	char next;

	if (c == ',') {
		scan_step(s);
		scan_blank(s);
		next = scan_peek(s);
		before.reported = s->cur->reported;
		*s->cur = before;
		if (next != (node->kind == AST_GROUP ? '{' : '"'))
			return false;
	} else if (c != closer || (scan_awaited(s, c) && scan_balance(s) != LACKS_OPENER)) {
		return false;
	}
	if (has_one) { /* "ports = [...]]" */
		if (scan_misfit(s, s->cur->at))
			diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", s->cur->at, MP_EXTRA_CLOSER, (int)c);
	} else if (scan_misfit(s, node->value_at)) {
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", node->value_at, MP_NO_OPENER, (int)opener,
			     node->name);
		diag_hint(&s->c->diags, g, MP_HINT_NO_OPENER, (int)opener);
	}
	/* reads the other values into a node that nobody uses */
	while (s->cur->p < s->cur->end && !s->stopped) {
		struct ast_node *scrap;

		scan_blank(s);
		next = scan_peek(s);
		if (next == ',') {
			scan_step(s);
			continue;
		}
		if (next == closer)
			scan_step(s);
		if (strchr("{\"", next) == NULL || next == 0 || (scrap = scan_node(s)) == NULL)
			break;
		value(s, scrap, false);
	}
	scan_blank(s);
	return true;
}

/* The end of a setting. libconfig does not need the ';', so its absence is a warning. */
static void terminator(struct scan *s, const struct ast_node *node)
{
	struct srcpos behind = s->cur->at;
	char c;

	scan_blank(s);
	c = scan_peek(s);
	if (without_opener(s, node, c))
		c = scan_peek(s);
	if (c == ';' || c == ',') {
		scan_sign(s);
		scan_step(s);
		return;
	}
	/* A ':' is reported with the next setting. */
	if (c == 0 || c == '}' || c == ')' || c == ']' || c == ':')
		return;
	/* A warning does not mark the line as wrong: an error on it is still reported. */
	if (s->last.line != behind.line || s->last.file != behind.file)
		diag_add(&s->c->diags, SEV_WARNING, "policy.missing_semicolon", behind, MP_NO_SEMICOLON, node->name);
}

static void setting(struct scan *s, struct ast_node *group, struct scan_tail *t)
{
	struct diags *d = &s->c->diags;
	struct ast_node *node = scan_node(s);
	struct scan_cursor before;
	struct diag *g;
	char c;

	if (node == NULL)
		return;
	node->at = s->cur->at;
	if (scan_peek(s) == '"') {
		uint32_t width = 0;
		struct bytes name = scan_string(s, &width);

		node->name = arena_strndup(s->c->arena, (const char *)name.p, name.left);
		if (scan_fresh(s, node->at)) {
			g = diag_add(d, SEV_ERROR, "policy.name", node->at, MP_NAME_QUOTED);
			g->width = width;
		}
		node->width = width;
	} else {
		node->name = scan_run(s, "=:;,{}()[]\"#", &node->width);
	}
	if (node->name == NULL || (node->width == 0 && s->cur->p == s->cur->end)) {
		s->stopped = s->stopped || node->name == NULL;
		return;
	}
	if (node->width == 0) {
		scan_report_unexpected(s, node->at, MP_HINT_SETTING);
		scan_step(s);
		skip_setting(s);
		return;
	}
	if (!scan_is_name(node->name) && scan_fresh(s, node->at)) {
		g = diag_add(d, SEV_ERROR, "policy.name", node->at, MP_NAME_BAD, node->name);
		g->width = node->width;
	}
	scan_blank(s);
	c = scan_peek(s);
	if (c == '=' || c == ':') {
		scan_sign(s);
		scan_step(s);
		scan_blank(s);
		c = scan_peek(s);
		if (c == '=') {
			scan_extra_sign(s);
			scan_blank(s);
			c = scan_peek(s);
		}
	} else {
		if (scan_misfit(s, node->at)) {
			g = diag_add(d, SEV_ERROR, "policy.syntax", node->at, MP_NO_EQUALS, node->name);
			g->width = node->width;
			if (strcasecmp(node->name, "include") == 0)
				diag_hint(d, g, MP_HINT_INCLUDE);
			else
				diag_hint(d, g, MP_HINT_EQUALS, node->name);
		}
		if (c == 0 || strchr("{([\"", c) == NULL) {
			if (s->cur->at.line == node->at.line)
				skip_setting(s);
			return;
		}
	}
	if (c == '>') {
		g = diag_add(d, SEV_ERROR, "policy.syntax", s->cur->at, MP_ARROW);
		diag_hint(d, g, MP_HINT_EQUALS, node->name);
		s->last = s->cur->at;
		scan_step(s);
		scan_blank(s);
		c = scan_peek(s);
	}
	before = *s->cur;
	if (c == 0 || strchr(";,})]=:", c) != NULL) {
		if (scan_misfit(s, node->at)) {
			g = diag_add(d, SEV_ERROR, "policy.syntax", node->at, MP_NO_VALUE, node->name);
			g->width = node->width;
			diag_hint(d, g, MP_HINT_VALUE, node->name);
		}
		skip_setting(s);
		return;
	}
	if (strchr("{([\"", c) == NULL) {
		uint32_t width;
		const char *next = scan_run(s, "=:;,{}()[]\"#", &width);

		scan_blank(s);
		c = scan_peek(s);
		before.reported = s->cur->reported;
		*s->cur = before;
		if (next != NULL && c == '=' && scan_is_name(next) &&
		    (before.at.line == node->at.line || scan_balance(s) == LACKS_OPENER)) {
			/* "office = interfaces = [...]": the group's own bracket is missing. */
			if (scan_misfit(s, node->at)) {
				g = diag_add(d, SEV_ERROR, "policy.bracket", before.at, MP_NO_OPENER, (int)'{',
					     node->name);
				diag_hint(d, g, MP_HINT_NO_OPENER, (int)'{');
			}
			unopened(s, node);
			scan_append(group, t, node);
			if (!s->stopped)
				terminator(s, node);
			return;
		}
		if (next != NULL && c == '=' && before.at.line != node->at.line) {
			/* "mode =" and on the next line "owner = ...": the value is missing, the
			 * next setting is complete. */
			if (scan_misfit(s, node->at)) {
				g = diag_add(d, SEV_ERROR, "policy.syntax", node->at, MP_NO_VALUE, node->name);
				g->width = node->width;
				diag_hint(d, g, MP_HINT_VALUE, node->name);
			}
			return;
		}
	}
	value(s, node, false);
	scan_append(group, t, node);
	if (!s->stopped)
		terminator(s, node);
}

static int by_name(const void *pa, const void *pb)
{
	const struct ast_node *a = *(const struct ast_node *const *)pa, *b = *(const struct ast_node *const *)pb;
	int c = strcmp(a->name, b->name);

	if (c != 0)
		return c;
	/* Files are numbered in the order in which they are read. */
	if (a->at.file != b->at.file)
		return a->at.file < b->at.file ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.column < b->at.column ? -1 : a->at.column > b->at.column;
}

#define FEW 32u /* members that are compared one by one, which takes less than to sort them */

static bool has_duplicate(const struct ast_node *group)
{
	for (const struct ast_node *a = group->child; a != NULL; a = a->next)
		for (const struct ast_node *b = a->next; b != NULL; b = b->next)
			if (a->name[0] == b->name[0] && strcmp(a->name, b->name) == 0)
				return true;
	return false;
}

static void report_duplicates(struct scan *s, const struct ast_node *group)
{
	const struct ast_node **sorted;
	size_t n = 0;

	if (s->stopped || s->broken || (group->n <= FEW && !has_duplicate(group)))
		return;
	sorted = arena_array(s->c->arena, group->n, sizeof(struct ast_node *));
	if (sorted == NULL)
		return;
	for (const struct ast_node *c = group->child; c != NULL; c = c->next)
		sorted[n++] = c;
	qsort(sorted, n, sizeof(void *), by_name);
	for (size_t i = 1; i < n; i++) {
		struct diag *g;

		if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			continue;
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.duplicate", sorted[i]->at, MP_DUPLICATE, sorted[i]->name);
		g->width = sorted[i]->width;
		g->also = sorted[i - 1]->at;
		diag_hint(&s->c->diags, g, MP_HINT_DUPLICATE);
	}
}

static void text_of_settings(struct scan *s, struct ast_node *group)
{
	settings(s, group, 0, s->cur->at, 0);
}

/*
 * In a text that lacks a closing bracket: whether a setting begins further left than its siblings,
 * at the column of the setting that holds them, or left of it. Then the bracket was forgotten
 * before it. This place helps more than the end of the file.
 */
static bool outdented(struct scan *s, const struct ast_node *group, uint32_t opener_indent)
{
	const struct ast_node *first = group->child;

	return opener_indent != 0 && first != NULL && first->at.file == s->cur->file &&
	       first->at.column > opener_indent && first->at.line < s->cur->at.line &&
	       s->cur->at.column <= opener_indent && scan_balance(s) == LACKS_CLOSER;
}

/* Whether the sign `c` among the settings of a group shows that the group was not closed: a ';', or
 * the beginning of the next element of the list that the group is in. */
static bool not_closed(struct scan *s, char c)
{
	if (c == ';')
		return scan_balance(s) == LACKS_CLOSER;
	return (c == '{' || (c == ',' && scan_balance(s) == LACKS_CLOSER)) && s->depth >= s->cur->base_depth + 2 &&
	       s->closers[s->depth - 2] == ')';
}

/* Reports an indented setting at the outermost level: the last bracket before it closed too
 * much. */
static void check_indent(struct scan *s, const struct ast_node *group)
{
	if (group->child != NULL && s->cur->outer == NULL && s->cur->at.column > group->child->at.column &&
	    s->closed.line != 0 && s->closed.line < s->cur->at.line && scan_balance(s) == LACKS_OPENER &&
	    scan_breaks(s, s->closed))
		diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", s->closed, MP_EXTRA_CLOSER, '}');
}

static void settings(struct scan *s, struct ast_node *group, char closer, struct srcpos opener, uint32_t opener_indent)
{
	struct scan_tail t = scan_tail_of(group);

	while (!s->stopped) {
		char c;

		scan_blank(s);
		if (scan_resumes(s) || scan_at_end(s, closer, opener))
			break;
		c = scan_peek(s);
		if (closer != 0 && (outdented(s, group, opener_indent) || not_closed(s, c))) {
			scan_report_unclosed(s, s->cur->at, closer, opener);
			return;
		}
		if (closer == 0)
			check_indent(s, group);
		if (c == '@') {
			scan_sign(s);
			if (scan_include(s, group, text_of_settings))
				t = scan_tail_of(group);
		} else if (c == ';' || c == ',') {
			scan_extra_sign(s);
		} else {
			setting(s, group, &t);
		}
	}
	if (closer != 0 || s->cur->outer == NULL)
		report_duplicates(s, group);
}

bool scan_policy(struct compilation *c, const struct policy_loader *l, const char *name, struct scan_result *ret)
{
	struct scan s = { .c = c, .loader = l, .out = ret };
	size_t errors = c->diags.errors;

	*ret = (struct scan_result){ 0 };
	ret->root = arena_alloc(c->arena, sizeof(*ret->root));
	if (ret->root == NULL)
		return false;
	ret->root->kind = AST_GROUP;
	ret->root->at = ret->root->value_at = (struct srcpos){ 0, 1, 1 };
	ret->root->width = ret->root->value_width = 1;
	scan_main(&s, name, ret->root, text_of_settings);
	return c->diags.errors == errors && !arena_failed(c->arena);
}
