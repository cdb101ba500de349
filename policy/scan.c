/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of libconfig, read by recursive descent so that an error has a place and the rest is still read:
 *
 *   settings = { name ("=" | ":") value [";" | ","] }      value = "{" settings "}" | "(" values ")" | "[" scalars "]"
 *                                                                | string { string } | number | true | false
 *
 * `@include "file"` may stand wherever a setting or an element may begin. Each text must close what it opens.
 */
#include "policy/scan.h"

#include <stdlib.h>
#include <string.h>

#include "policy/scan_include.h"
#include "policy/scan_lex.h"

static void value(struct scan *s, struct ast_node *node, bool in_array);
static void settings(struct scan *s, struct ast_node *group, char closer, struct srcpos opener, uint32_t opener_indent);
static void elements(struct scan *s, struct ast_node *list, char closer, struct srcpos opener, uint32_t opener_indent);

static struct ast_node *node_new(struct scan *s)
{
	struct ast_node *n = NULL;

	if (s->nodes < SCAN_NODES_MAX)
		n = arena_alloc(s->c->arena, sizeof(*n));
	s->nodes++;
	if (n == NULL && !s->stopped) {
		s->stopped = true;
		diag_add(&s->c->diags, SEV_ERROR, "policy.too_large", s->cur->at, MP_TOO_MANY, (unsigned)SCAN_NODES_MAX);
	}
	return n;
}

struct tail {
	struct ast_node *last;
};

static void append(struct ast_node *parent, struct tail *t, struct ast_node *n)
{
	if (t->last == NULL)
		parent->child = n;
	else
		t->last->next = n;
	t->last = n;
	parent->n++;
}

static struct tail tail_of(const struct ast_node *parent)
{
	struct tail t = { parent->child };

	while (t.last != NULL && t.last->next != NULL)
		t.last = t.last->next;
	return t;
}

/* Is this closing bracket one that an outer value of the same text waits for? */
static bool awaited(const struct scan *s, char c)
{
	for (uint32_t i = s->depth; i-- > s->cur->base_depth;)
		if (s->closers[i] == c)
			return true;
	return false;
}

static void report_unclosed(struct scan *s, struct srcpos at, char closer, struct srcpos opener)
{
	struct diag *g;

	if (!scan_fresh(s, at))
		return;
	g = diag_add(&s->c->diags, SEV_ERROR, "policy.unclosed", at, MP_UNCLOSED, (int)closer);
	g->also = opener;
	diag_hint(&s->c->diags, g, MP_HINT_UNCLOSED, (int)closer, opener.line);
}

static void report_unexpected(struct scan *s, struct srcpos at, enum message hint)
{
	char c = scan_peek(s);
	struct diag *g;

	if (!scan_fresh(s, at))
		return;
	if (c <= 1)
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", at, MP_UNEXPECTED_CHAR);
	else
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", at, MP_UNEXPECTED, (int)c);
	diag_hint(&s->c->diags, g, hint);
}

/*
 * Deals with the end of the text and with closing brackets of any kind. True when the settings or elements that wait
 * for `closer` (0 = the end of the text) are over.
 */
static bool at_end(struct scan *s, char closer, struct srcpos opener)
{
	char c = scan_peek(s);
	struct srcpos at = s->cur->at;

	if (c == 0) {
		if (closer != 0) {
			/* The end of a file is usually an empty line: the opening bracket is the place that helps. */
			if (s->last.line != UINT32_MAX) {
				struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.unclosed", opener, MP_UNCLOSED_END, (int)closer);

				diag_hint(&s->c->diags, g, MP_HINT_UNCLOSED_END, (int)closer);
			}
			s->last = (struct srcpos){ s->cur->file, UINT32_MAX, 0 }; /* its outer ones follow from it */
		}
		return true;
	}
	if (c != '}' && c != ')' && c != ']')
		return false;
	scan_sign(s);
	if (c == closer) {
		scan_step(s);
		return true;
	}
	if (closer != 0 && awaited(s, c)) {
		report_unclosed(s, at, closer, opener);
		return true;
	}
	if (scan_fresh(s, at)) {
		if (closer != 0) {
			struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", at, MP_WRONG_CLOSER, (int)c, (int)closer);

			g->also = opener;
		} else {
			diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", at, MP_EXTRA_CLOSER, (int)c);
		}
	}
	scan_step(s);
	/* A wrong bracket where one is due was most likely meant to be the right one. */
	return closer != 0;
}

/* On to what may begin a new setting: behind the next ';' of this line, or to the next line. */
static void skip_setting(struct scan *s)
{
	while (s->cur->p < s->cur->end) {
		char c = *s->cur->p;

		if (c == '\n' || c == '}' || c == ')' || c == ']')
			return;
		scan_step(s);
		if (c == ';')
			return;
	}
}

static bool opens(struct scan *s, char closer)
{
	if (s->depth == SCAN_DEPTH_MAX) {
		diag_add(&s->c->diags, SEV_ERROR, "policy.too_deep", s->cur->at, MP_TOO_DEEP, (unsigned)SCAN_DEPTH_MAX);
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
	if (c == '{')
		settings(s, node, closer, opener, indent);
	else
		elements(s, node, closer, opener, indent);
	node->end = scan_offset(s) - 1;
	s->depth--;
}

/* Strings that follow one another are one value in libconfig; in a list this is a forgotten comma. */
static void strings(struct scan *s, struct ast_node *node)
{
	struct scan_cursor behind;
	uint32_t ignored;

	node->kind = AST_STRING;
	if (scan_string(s, &node->value_width) == NULL)
		s->stopped = true;
	while (node->name != NULL && !s->stopped) {
		behind = *s->cur;
		scan_blank(s);
		if (scan_peek(s) != '"') {
			behind.reported = s->cur->reported;
			*s->cur = behind; /* the place behind the value is where a ';' is missing */
			return;
		}
		if (scan_string(s, &ignored) == NULL)
			s->stopped = true;
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
	node->open = scan_offset(s);
	if (c == '{' || c == '(' || c == '[') {
		if (in_array && scan_fresh(s, s->cur->at)) {
			struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.array", s->cur->at, MP_ARRAY_NESTED);

			diag_hint(&s->c->diags, g, MP_HINT_LIST);
		}
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

/* The end of a setting. libconfig does without the ';', so it is only advised. */
static void terminator(struct scan *s, const struct ast_node *node)
{
	struct srcpos behind = s->cur->at;
	char c;

	scan_blank(s);
	c = scan_peek(s);
	if (c == ';' || c == ',') {
		scan_sign(s);
		scan_step(s);
		return;
	}
	if (c == 0 || c == '}' || c == ')' || c == ']')
		return;
	/* A warning does not make the line known as wrong: an error on it must still be told. */
	if (s->last.line != behind.line || s->last.file != behind.file) {
		struct diag *g = diag_add(&s->c->diags, SEV_WARNING, "policy.missing_semicolon", behind, MP_NO_SEMICOLON, node->name);

		diag_hint(&s->c->diags, g, MP_HINT_SEMICOLON);
	}
}

static void setting(struct scan *s, struct ast_node *group, struct tail *t)
{
	struct diags *d = &s->c->diags;
	struct ast_node *node = node_new(s);
	struct scan_cursor before;
	struct diag *g;
	char c;

	if (node == NULL)
		return;
	node->at = s->cur->at;
	node->begin = scan_offset(s);
	if (scan_peek(s) == '"') {
		uint32_t width = 0;

		node->name = scan_string(s, &width);
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
		report_unexpected(s, node->at, MP_HINT_SETTING);
		scan_step(s);
		skip_setting(s);
		return;
	}
	if (!scan_is_name(node->name) && scan_fresh(s, node->at)) {
		g = diag_add(d, SEV_ERROR, "policy.name", node->at, MP_NAME_BAD, node->name);
		g->width = node->width;
		diag_hint(d, g, MP_HINT_NAME);
	}
	scan_blank(s);
	c = scan_peek(s);
	if (c == '=' || c == ':') {
		scan_sign(s);
		scan_step(s);
		scan_blank(s);
		c = scan_peek(s);
	} else {
		if (scan_fresh(s, node->at)) {
			g = diag_add(d, SEV_ERROR, "policy.syntax", node->at, MP_NO_EQUALS, node->name);
			g->width = node->width;
			diag_hint(d, g, MP_HINT_EQUALS, node->name);
		}
		if (c == 0 || strchr("{([\"", c) == NULL) {
			if (s->cur->at.line == node->at.line)
				skip_setting(s);
			return;
		}
	}
	before = *s->cur;
	if (c == 0 || strchr(";,})]=:", c) != NULL) {
		if (scan_fresh(s, node->at)) {
			g = diag_add(d, SEV_ERROR, "policy.syntax", node->at, MP_NO_VALUE, node->name);
			g->width = node->width;
			diag_hint(d, g, MP_HINT_VALUE, node->name);
		}
		skip_setting(s);
		return;
	}
	if (before.at.line != node->at.line && strchr("{([\"", c) == NULL) {
		uint32_t width;
		const char *next = scan_run(s, "=:;,{}()[]\"#", &width);

		scan_blank(s);
		c = scan_peek(s);
		before.reported = s->cur->reported;
		*s->cur = before;
		if (next != NULL && c == '=') {
			/* "mode =" and on the next line "owner = ...": the value is missing, the next setting is whole. */
			if (scan_fresh(s, node->at)) {
				g = diag_add(d, SEV_ERROR, "policy.syntax", node->at, MP_NO_VALUE, node->name);
				g->width = node->width;
				diag_hint(d, g, MP_HINT_VALUE, node->name);
			}
			return;
		}
	}
	value(s, node, false);
	append(group, t, node);
	if (!s->stopped)
		terminator(s, node);
}

static int by_name(const void *pa, const void *pb)
{
	const struct ast_node *a = *(const struct ast_node *const *)pa, *b = *(const struct ast_node *const *)pb;
	int c = strcmp(a->name, b->name);

	if (c != 0)
		return c;
	/* Order of reading: files are numbered as they are met. */
	if (a->at.file != b->at.file)
		return a->at.file < b->at.file ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.column < b->at.column ? -1 : a->at.column > b->at.column;
}

static void report_duplicates(struct scan *s, const struct ast_node *group)
{
	const struct ast_node **sorted;
	size_t n = 0;

	if (group->n < 2 || s->stopped)
		return;
	sorted = arena_array(s->c->arena, group->n, sizeof(struct ast_node *));
	if (sorted == NULL)
		return;
	for (const struct ast_node *c = group->child; c != NULL; c = c->next)
		sorted[n++] = c;
	qsort(sorted, n, sizeof(sorted[0]), by_name);
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
 * In a text that lacks a closing bracket: a setting further left than its siblings, where the value's own first line
 * began. The bracket was forgotten before it, and saying so here is better than at the end of the file.
 */
static bool outdented(const struct scan *s, const struct ast_node *group, uint32_t opener_indent)
{
	const struct ast_node *first = group->child;

	return s->cur->unbalanced && opener_indent != 0 && first != NULL && first->at.file == s->cur->file && first->at.column > opener_indent &&
	       first->at.line < s->cur->at.line && s->cur->at.column <= opener_indent;
}

/* "{" among the settings of an element: the element before it was not closed. */
static bool next_element(const struct scan *s, char c)
{
	return c == '{' && s->depth >= s->cur->base_depth + 2 && s->closers[s->depth - 2] == ')';
}

static void settings(struct scan *s, struct ast_node *group, char closer, struct srcpos opener, uint32_t opener_indent)
{
	struct tail t = tail_of(group);

	while (!s->stopped) {
		char c;

		scan_blank(s);
		if (at_end(s, closer, opener))
			break;
		c = scan_peek(s);
		if (closer != 0 && (outdented(s, group, opener_indent) || next_element(s, c))) {
			report_unclosed(s, s->cur->at, closer, opener);
			return;
		}
		if (c == '@') {
			scan_sign(s);
			if (scan_include(s, group, text_of_settings))
				t = tail_of(group);
		} else if (c == ';' || c == ',') {
			scan_sign(s);
			if (scan_fresh(s, s->cur->at)) {
				struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", s->cur->at, MP_EXTRA_SIGN, (int)c);

				diag_hint(&s->c->diags, g, MP_HINT_REMOVE);
			}
			scan_step(s);
		} else {
			setting(s, group, &t);
		}
	}
	if (closer != 0 || s->cur->outer == NULL)
		report_duplicates(s, group);
}

/* `name = value` where an element should stand: somebody forgot the braces, or, further left, the list's own bracket
 * (*ret_over). True when it was either. */
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
	if (scan_fresh(s, before.at)) {
		struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", before.at, MP_NO_BRACES, word);

		g->width = width;
		diag_hint(&s->c->diags, g, MP_HINT_BRACES);
	}
	return true;
}

static void text_of_elements(struct scan *s, struct ast_node *list)
{
	elements(s, list, 0, s->cur->at, 0);
}

/* Arrays hold values of one kind only; lists hold anything. */
static void check_array(struct scan *s, const struct ast_node *list, const struct ast_node *node)
{
	if (list->kind != AST_ARRAY || (node->kind & (AST_STRING | AST_NUMBER | AST_BOOL)) == 0 ||
	    node->kind == list->child->kind || (list->child->kind & (AST_STRING | AST_NUMBER | AST_BOOL)) == 0)
		return;
	if (scan_fresh(s, node->at)) {
		struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.array", node->at, MP_ARRAY_MIXED);

		g->width = node->width;
		g->also = list->child->at;
		diag_hint(&s->c->diags, g, MP_HINT_LIST);
	}
}

static void elements(struct scan *s, struct ast_node *list, char closer, struct srcpos opener, uint32_t opener_indent)
{
	struct tail t = tail_of(list);
	struct srcpos comma = { 0 };
	bool separated = true, any = false;

	while (!s->stopped) {
		struct srcpos behind = s->cur->at;
		struct ast_node *node;
		struct tail inner;
		bool setting_here, over = false;
		const char *from;
		char c;

		scan_blank(s);
		c = scan_peek(s);
		if ((c == closer || c == 0) && any && separated && scan_fresh(s, comma)) {
			struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.trailing_comma", comma, MP_TRAILING_COMMA);

			diag_hint(&s->c->diags, g, MP_HINT_REMOVE);
		}
		if (at_end(s, closer, opener))
			return;
		if (c == ',' || c == ';') {
			scan_sign(s);
			comma = s->cur->at;
			if ((separated || c == ';') && scan_fresh(s, comma)) {
				struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", comma,
							  c == ';' ? MP_LIST_SEMICOLON : MP_EMPTY_ELEMENT);

				if (c == ';')
					diag_hint(&s->c->diags, g, MP_HINT_COMMA);
			}
			scan_step(s);
			separated = any = true;
			continue;
		}
		setting_here = strchr("{([\"@", c) == NULL && element_is_setting(s, opener, opener_indent, &over);
		if (setting_here && over) {
			report_unclosed(s, s->cur->at, closer, opener);
			return;
		}
		if (!separated && !setting_here && scan_fresh(s, behind)) {
			struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.missing_comma", behind, MP_NO_COMMA);

			diag_hint(&s->c->diags, g, MP_HINT_NO_COMMA);
		}
		separated = false;
		any = true;
		if (c == '@') {
			if (scan_include(s, list, text_of_elements))
				t = tail_of(list);
			continue;
		}
		if (setting_here) {
			struct ast_node *scrap = node_new(s);

			if (scrap == NULL)
				return;
			inner = tail_of(scrap);
			setting(s, scrap, &inner);
			separated = true; /* its terminator was taken */
			any = false;
			continue;
		}
		node = node_new(s);
		if (node == NULL)
			return;
		from = s->cur->p;
		value(s, node, list->kind == AST_ARRAY);
		if (s->cur->p == from) {
			report_unexpected(s, s->cur->at, MP_HINT_ELEMENT);
			scan_step(s);
			continue;
		}
		append(list, &t, node);
		check_array(s, list, node);
	}
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
