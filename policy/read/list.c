/* SPDX-License-Identifier: Apache-2.0 */
/* The elements of ( ) and [ ], and the commas between them. */
#include <string.h>

#include "policy/read/include.h"
#include "policy/read/parts.h"

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
	s->braceless = true;
	if (scan_breaks(s, before.at)) {
		struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", before.at, MP_NO_BRACES, word);

		g->width = width;
		diag_hint(&s->c->diags, g, MP_HINT_BRACES);
	}
	return true;
}

/* At a ';' behind an element: the setting that this list is the value of goes on as if the list had been closed. */
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
	scan_elements(s, list, 0, s->cur->at, 0);
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
		if ((c == closer || c == 0) && any && separated && scan_misfit(s, comma)) {
			struct diag *g =
				diag_add(&s->c->diags, SEV_ERROR, "policy.trailing_comma", comma, MP_TRAILING_COMMA);

			diag_hint(&s->c->diags, g, MP_HINT_REMOVE);
		}
		if (scan_at_end(s, closer, opener))
			return;
		c = scan_peek(s);
		if (c == ';' && closer != 0 && any && !separated && semicolon_ends_list(s)) {
			bool broken = s->broken;

			scan_report_unclosed(s, s->cur->at, closer, opener);
			s->broken = broken; /* it is known where it ends */
			return;
		}
		if (c == ',' || c == ';') {
			scan_sign(s);
			comma = s->cur->at;
			if ((separated || c == ';') && scan_misfit(s, comma)) {
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
			scan_report_unclosed(s, s->cur->at, closer, opener);
			return;
		}
		if (!separated && !setting_here && scan_misfit(s, behind)) {
			struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.missing_comma", behind, MP_NO_COMMA);

			diag_hint(&s->c->diags, g, MP_HINT_NO_COMMA);
		}
		separated = false;
		any = true;
		if (c == '@') {
			uint32_t had = list->n;

			if (!scan_include(s, list, text_of_elements))
				continue;
			t = scan_tail_of(list);
			if (list->n == had) { /* a text without elements is none itself */
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
			if (scan_balance(s) == LACKS_OPENER) { /* the element's own brace is missing */
				from = s->cur->p;
				scan_unopened(s, scrap);
				if (s->cur->p == from)
					scan_step(s);
				continue;
			}
			scan_setting(s, scrap, &inner);
			separated = true; /* its terminator was taken */
			any = false;
			continue;
		}
		node = scan_node(s);
		if (node == NULL)
			return;
		from = s->cur->p;
		scan_value(s, node, list->kind == AST_ARRAY);
		if (s->cur->p == from) {
			scan_report_unexpected(s, s->cur->at, MP_HINT_ELEMENT);
			scan_step(s);
			continue;
		}
		scan_append(list, &t, node);
		check_array(s, list, node);
	}
}

void scan_elements(struct scan *s, struct ast_node *list, char closer, struct srcpos opener, uint32_t opener_indent)
{
	bool broken = s->broken, braceless = s->braceless;

	s->braceless = false;
	elements(s, list, closer, opener, opener_indent);
	if (s->braceless) /* what did not fit was the list's own, and is over with it */
		s->broken = broken;
	s->braceless = braceless;
}
