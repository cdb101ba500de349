/* SPDX-License-Identifier: Apache-2.0 */
/* Makes nodes and matches the brackets around them. Finds out which bracket closes what, and which
 * was forgotten. */
#include "policy/read/scanner.h"

#include <string.h>

struct ast_node *scan_node(struct scan *s)
{
	struct ast_node *n = NULL;

	if (s->nodes < SCAN_NODES_MAX)
		n = arena_alloc(s->c->arena, sizeof(*n));
	s->nodes++;
	if (n == NULL && !s->stopped) {
		s->stopped = true;
		diag_add(&s->c->diags, SEV_ERROR, "policy.too_large", s->cur->at, MP_TOO_MANY,
			 (unsigned)SCAN_NODES_MAX);
	}
	return n;
}

void scan_append(struct ast_node *parent, struct scan_tail *t, struct ast_node *n)
{
	if (t->last == NULL)
		parent->child = n;
	else
		t->last->next = n;
	t->last = n;
	parent->n++;
}

struct scan_tail scan_tail_of(const struct ast_node *parent)
{
	struct scan_tail t = { parent->child };

	while (t.last != NULL && t.last->next != NULL)
		t.last = t.last->next;
	return t;
}

bool scan_awaited(const struct scan *s, char c)
{
	for (uint32_t i = s->depth; i-- > s->cur->base_depth;)
		if (s->closers[i] == c)
			return true;
	return false;
}

enum balance scan_balance(struct scan *s)
{
	struct scan_cursor *k = s->cur, all = { .file = k->file, .p = k->begin, .end = k->end };
	/* errors are reported later, when the text is really read */
	struct compilation unheard = { .arena = s->c->arena };
	struct scan count = { .c = &unheard, .cur = &all };
	size_t open = 0, closed = 0;
	uint32_t width;
	char c;

	if (k->balance != BALANCE_UNKNOWN)
		return k->balance;
	diags_init(&unheard.diags, unheard.arena);
	for (scan_blank(&count); (c = scan_peek(&count)) != 0; scan_blank(&count)) {
		if (c == '"') {
			scan_string(&count, &width);
			continue;
		}
		open += c == '{' || c == '(' || c == '[';
		closed += c == '}' || c == ')' || c == ']';
		scan_step(&count);
	}
	k->balance = open > closed ? LACKS_CLOSER : open < closed ? LACKS_OPENER : BALANCED;
	return k->balance;
}

bool scan_resumes(struct scan *s)
{
	struct scan_cursor before = *s->cur;
	uint32_t width;
	const char *word;
	bool inside = s->depth > before.base_depth, setting;

	if (before.at.column != 1 || (!s->broken && !inside) || strchr("{}()[]\"@;,", scan_peek(s)) != NULL)
		return false;
	word = scan_run(s, "=:;,{}()[]\"#", &width);
	scan_blank(s);
	setting = word != NULL && scan_is_name(word) && scan_peek(s) == '=';
	before.reported = s->cur->reported;
	*s->cur = before;
	if (setting && !s->broken && scan_balance(s) != LACKS_CLOSER)
		s->cur->flat = true;
	if (!setting || !s->broken || s->cur->flat)
		return false;
	s->broken = inside;
	return inside;
}

void scan_report_unclosed(struct scan *s, struct srcpos at, char closer, struct srcpos opener)
{
	struct diag *g;

	if (!scan_breaks(s, at))
		return;
	g = diag_add(&s->c->diags, SEV_ERROR, "policy.unclosed", at, MP_UNCLOSED, (int)closer);
	g->also = opener;
	diag_hint(&s->c->diags, g, MP_HINT_UNCLOSED, (int)closer, opener.line);
}

void scan_report_unexpected(struct scan *s, struct srcpos at, enum message hint)
{
	char c = scan_peek(s);
	struct diag *g;

	if (!scan_misfit(s, at))
		return;
	if (c <= 1)
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", at, MP_UNEXPECTED_CHAR);
	else
		g = diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", at, MP_UNEXPECTED, (int)c);
	diag_hint(&s->c->diags, g, hint);
}

void scan_extra_sign(struct scan *s)
{
	char c = scan_sign(s);

	if (scan_misfit(s, s->cur->at))
		diag_add(&s->c->diags, SEV_ERROR, "policy.syntax", s->cur->at, MP_EXTRA_SIGN, (int)c);
	scan_step(s);
}

/*
 * Here the innermost value needs another closing bracket than `c`, and a value around it needs `c`.
 * Returns whether `c` was typed in place of the other one. It was if the text closes as many
 * brackets as it opens, because then none was forgotten. Otherwise the next character decides:
 * after an element that ends with ")" its list goes on with "," or with its own ")".
 */
static bool stands_for(struct scan *s, char c)
{
	struct scan_cursor before = *s->cur;
	char next;

	if (scan_balance(s) == BALANCED)
		return true;
	scan_step(s);
	scan_blank(s);
	next = scan_peek(s);
	before.reported = s->cur->reported;
	*s->cur = before;
	return c == ')' && (next == ',' || next == ')');
}

bool scan_at_end(struct scan *s, char closer, struct srcpos opener)
{
	char c = scan_peek(s);
	struct srcpos at = s->cur->at;

	if (c == 0) {
		if (closer != 0) {
			/* The end of a file is usually an empty line, so the opening bracket's
			 * place helps more. */
			if (!s->broken && s->last.line != UINT32_MAX) {
				struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.unclosed", opener,
							  MP_UNCLOSED_END, (int)closer);

				diag_hint(&s->c->diags, g, MP_HINT_UNCLOSED_END, (int)closer);
			}
			/* the brackets further out are also open, but only because of this one */
			s->last = (struct srcpos){ s->cur->file, UINT32_MAX, 0 };
		}
		return true;
	}
	if (c != '}' && c != ')' && c != ']')
		return false;
	scan_sign(s);
	if (c == closer) {
		s->closed = at;
		scan_step(s);
		return true;
	}
	if (closer != 0 && scan_balance(s) == LACKS_OPENER) {
		if (scan_misfit(s, at))
			diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", at, MP_EXTRA_CLOSER, (int)c);
		scan_step(s);
		scan_blank(s);
		return scan_at_end(s, closer, opener);
	}
	if (closer != 0 && scan_awaited(s, c) && !stands_for(s, c)) {
		scan_report_unclosed(s, at, closer, opener);
		return true;
	}
	if (scan_breaks(s, at)) {
		if (closer != 0) {
			struct diag *g = diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", at, MP_WRONG_CLOSER,
						  (int)c, (int)closer);

			g->also = opener;
		} else {
			diag_add(&s->c->diags, SEV_ERROR, "policy.bracket", at, MP_EXTRA_CLOSER, (int)c);
		}
	}
	scan_step(s);
	/* A wrong bracket where one is due was most likely meant to be the right one. */
	return closer != 0;
}
