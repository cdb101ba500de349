/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half-yearly self-check, in figures. The box answers what it can, with evidence. All other
 * items have an empty field for a person, and count as answered only when a person has filled it
 * in.
 */
#include <stdlib.h>
#include <string.h>

#include "mgmt/report/clauses.h"
#include "mgmt/report/files.h"
#include "mgmt/state/read.h"

/* Whether the box has decided about an item. A part that is missing counts as not done. */
static bool answered(enum verdict v)
{
	return v == VERDICT_MET || v == VERDICT_NOT || v == VERDICT_PARTLY;
}

static size_t count(const json_t *d, enum verdict v)
{
	return (size_t)ju(json_object_get(d, "summary"), verdict_word(v));
}

static void figures(struct page *p, const json_t *d)
{
	static const enum message heads[] = { M_SELF_ITEMS, M_SELF_DONE, M_SELF_NOT, M_SELF_LEFT, M_SELF_RATE };
	size_t items = json_array_size(ja(d, "clauses")), done = count(d, VERDICT_MET);
	size_t open = count(d, VERDICT_NOT) + count(d, VERDICT_PARTLY);

	page_section(p, M_SELF_FIGURES);
	page_table(p, heads, 5);
	page_cellf(p, "%zu", items);
	page_cellf(p, "%zu", done);
	page_cellf(p, "%zu", open);
	page_cellf(p, "%zu", items - done - open);
	if (done + open > 0)
		page_cellf(p, "%zu / %zu (%zu%%)", done, done + open, done * 100 / (done + open));
	else
		page_cell(p, "-");
	page_say(p, M_SELF_FIGURES_WHAT);
	page_blank(p, M_SELF_RATE_WHOLE);
}

static void items(struct page *p, const json_t *d)
{
	static const enum message heads[] = { M_SELF_NUMBER, M_CONTROLS_CLAUSE,	  M_SELF_ITEM, M_SELF_BOX,
					      M_SELF_PERSON, M_CONTROLS_EVIDENCE, M_SELF_DUE };
	enum lang l = page_lang(p);
	const json_t *clause;
	size_t i;

	page_section(p, M_SELF_LIST);
	page_table(p, heads, 7);
	json_array_foreach(ja(d, "clauses"), i, clause)
	{
		enum verdict v = controls_verdict(clause);

		page_cellf(p, "%zu", i + 1);
		page_cellf(p, "%s %s", js(d, "document"), js(clause, "clause"));
		page_cell(p, js(clause, lang_name(l)));
		page_cell_mark(p,
			       v == VERDICT_MET	  ? M_SELF_YES
			       : v == VERDICT_NOT ? M_SELF_NO
						  : verdict_text(v),
			       verdict_mark(v));
		page_cell(p, answered(v) ? "-" : message_format(M_SELF_BLANK, l));
		controls_evidence(p, clause, l);
		page_cell(p, v == VERDICT_MET ? "-" : "");
	}
}

static json_t *judged(const json_t *facts, const struct deeds *deeds)
{
	json_t *d = json_loadb((const char *)controls_self_check, controls_self_check_size, JSON_REJECT_DUPLICATES,
			       NULL),
	       *clause;
	size_t i;

	controls_judge_one(d, facts, deeds);
	json_array_foreach(json_object_get(d, "clauses"), i, clause)
	{
		(void)json_object_set_new(clause, "answer",
					  answered(controls_verdict(clause))
						  ? json_boolean(controls_verdict(clause) == VERDICT_MET)
						  : json_null());
	}
	return d;
}

struct page *report_self_check(const json_t *facts, const struct deeds *deeds, enum lang l, json_t **ret_data)
{
	json_t *d = judged(facts, deeds);
	struct page *p = page_new(l, M_SELF_TITLE);

	report_head(p, facts);
	page_say(p, M_CONTROLS_EDITION, js(json_object_get(d, "edition"), lang_name(l)));
	page_say(p, M_CONTROLS_NOTE, js(json_object_get(d, "note"), lang_name(l)));
	figures(p, d);
	items(p, d);
	report_sign(p);
	*ret_data = report_data("self-check", facts, "check", d);
	return p;
}
