/* SPDX-License-Identifier: Apache-2.0 */
/* Clause by clause of docs/controls, what the box itself can show, and what only a person can
 * answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgmt/report/clauses.h"
#include "mgmt/state/read.h"

/* ---- what reports share ---------------------------------------------------------------------- */

void report_head(struct page *p, const json_t *facts)
{
	const json_t *status = facts_answer(facts, "status"), *site = json_object_get(status, "site");
	char when[RENDER_TEXT];

	render_time(js(facts, "made"), when);
	page_say(p, M_REPORT_HEAD, js(site, "name"), js(site, "label"), js(facts, "host"), js(facts, "version"));
	page_say(p, M_REPORT_HEAD_WHEN, when, ju(json_object_get(status, "generation"), "number"));
}

/* Adds lines for a signature and a date. */
static void report_sign(struct page *p)
{
	page_section(p, M_CONTROLS_SIGN);
	page_blank(p, M_REPORT_SIGN_NAME);
	page_blank(p, M_REPORT_SIGN_DATE);
}

/* The common members of both reports for programs, with `of` at `key`. Takes the reference of
 * `of`. */
static json_t *report_data(const char *name, const json_t *facts, const char *key, json_t *of)
{
	return json_pack("{s:s,s:O,s:O,s:O,s:O?,s:o}", "report", name, "made", json_object_get(facts, "made"),
			 "version", json_object_get(facts, "version"), "host", json_object_get(facts, "host"), "site",
			 json_object_get(facts_answer(facts, "status"), "site"), key, of);
}

/* ---- the documents --------------------------------------------------------------------------- */

/* The built-in documents; owned by the caller. NULL: no memory. */
static json_t *controls_documents(void)
{
	const struct {
		const unsigned char *p;
		size_t n;
	} files[] = { { controls_port, controls_port_size },
		      { controls_cpsf, controls_cpsf_size },
		      { controls_nisc, controls_nisc_size },
		      { controls_sisac, controls_sisac_size } };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)json_array_append_new(
			list, json_loadb((const char *)files[i].p, files[i].n, JSON_REJECT_DUPLICATES, NULL));
	return json_list_whole(list, sizeof(files) / sizeof(files[0]));
}

/* ---- probes ---------------------------------------------------------------------------------- */

static const struct probe probes[] = {
#define ALONE false
#define WITH_RECORDS true
#define PROBE(name, from, records) { #name, from, records, probe_##name },
#include "mgmt/report/probe.def"
};

static const size_t n_probes = sizeof(probes) / sizeof(probes[0]);

const struct probe *probe_by_word(const char *word)
{
	for (size_t i = 0; i < n_probes; i++)
		if (strcmp(probes[i].word, word) == 0)
			return &probes[i];
	return NULL;
}

void probe_look(const struct probe *p, const json_t *facts, const struct deeds *deeds, struct finding *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (facts_answer(facts, p->from) == NULL)
		finding_say(ret, VERDICT_UNREAD, M_PROBE_UNREAD, p->from, facts_why(facts, p->from));
	else if (p->records && !deeds->read)
		finding_say(ret, VERDICT_UNREAD, M_PROBE_UNREAD, "events", facts_why(facts, "events"));
	else
		p->look(&(struct evidence){ facts, facts_answer(facts, p->from), deeds }, ret);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* The joint verdict of a clause's probes. When a part is left to a person, the box alone never says
 * "met". */
static enum verdict together(const size_t count[VERDICT_COUNT], size_t n, bool rest)
{
	if (n == 0)
		return VERDICT_ASK;
	if (count[VERDICT_MET] == n)
		return rest ? VERDICT_PARTLY : VERDICT_MET;
	for (unsigned v = VERDICT_NOT; v < VERDICT_COUNT; v++)
		if (count[v] == n)
			return (enum verdict)v;
	return count[VERDICT_MET] + count[VERDICT_PARTLY] > 0 ? VERDICT_PARTLY
	       : count[VERDICT_NOT] > 0			      ? VERDICT_NOT
							      : VERDICT_ASK;
}

static json_t *evidence(const struct finding *f, const char *probe, const char *from, const char *taken)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o}", "probe", probe, "verdict", verdict_word(f->verdict), "from", from,
			 "taken", taken, "en", json_text(f->text[LANG_EN]), "ja", json_text(f->text[LANG_JA]));
}

/* Whether a part of the clause is left to a person. */
static bool leaves_rest(const json_t *clause)
{
	return json_object_get(clause, "rest") != NULL || json_array_size(ja(clause, "probes")) == 0;
}

static json_t *clause_judge(const char *document, const json_t *clause, const json_t *facts, const struct deeds *deeds,
			    size_t summary[VERDICT_COUNT])
{
	size_t count[VERDICT_COUNT] = { 0 }, n = 0;
	bool rest = leaves_rest(clause);
	const struct deed_answer *answer = NULL;
	struct finding f;
	char whole[CLAUSE_TEXT];
	json_t *ret = json_deep_copy(clause), *list = json_array();
	enum verdict v;

	json_each(name, ja(clause, "probes")) {
		const struct probe *p = json_is_string(name) ? probe_by_word(json_string_value(name)) : NULL;

		if (p == NULL)
			continue;
		n++;
		probe_look(p, facts, deeds, &f);
		count[f.verdict]++;
		(void)json_array_append_new(list, evidence(&f, p->word, p->from, facts_taken(facts, p->from)));
	}
	snprintf(whole, sizeof(whole), "%s %s", document, js(clause, "clause"));
	if (rest)
		answer = deeds_answer(deeds, whole);
	if (answer != NULL) {
		answer_look(answer, js(facts, "made"), ju(clause, "days"), &f);
		n++;
		count[f.verdict]++;
		rest = f.verdict != VERDICT_MET;
		(void)json_array_append_new(list, evidence(&f, "answer", "events", answer->time));
	}
	v = jb(clause, "none") ? VERDICT_NOT : together(count, n, rest);
	summary[v]++;
	(void)json_object_set_new(ret, "verdict", json_string(verdict_word(v)));
	(void)json_object_set_new(ret, "evidence", list);
	(void)json_object_del(ret, "probes");
	return ret;
}

bool clause_asks(const char *clause)
{
	json_t *documents = controls_documents();
	char name[CLAUSE_TEXT];
	bool asks = false;

	json_each(d, documents)
		json_each(one, ja(d, "clauses")) {
			snprintf(name, sizeof(name), "%s %s", js(d, "document"), js(one, "clause"));
			asks |= strcmp(name, clause) == 0 && leaves_rest(one);
		}
	json_decref(documents);
	return asks;
}

/* Judges one document, in place. */
static void judge_document(json_t *d, const json_t *facts, const struct deeds *deeds)
{
	size_t summary[VERDICT_COUNT] = { 0 };
	json_t *list = json_array(), *counts = json_object();

	json_each(clause, ja(d, "clauses"))
		(void)json_array_append_new(list, clause_judge(js(d, "document"), clause, facts, deeds, summary));
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		(void)json_object_set_new(counts, verdict_word((enum verdict)v), json_integer((json_int_t)summary[v]));
	(void)json_object_set_new(d, "clauses", list);
	(void)json_object_set_new(d, "summary", counts);
}

/* ---- for people ------------------------------------------------------------------------------ */

/* The verdict of a clause that was judged. */
static enum verdict verdict_of(const json_t *j)
{
	for (unsigned v = 0; v < VERDICT_COUNT; v++)
		if (js_is(j, "verdict", verdict_word((enum verdict)v)))
			return (enum verdict)v;
	return VERDICT_UNREAD;
}

static const char *force_text(const json_t *clause, enum lang l)
{
	const enum message *m = word_message("force", js(clause, "force"));

	return m != NULL ? message_format(*m, l) : "";
}

/* Each finding with its time, then what is left to a person. */
static void evidence_cell(struct page *p, const json_t *clause, enum lang l)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);
	const char *rest = js(json_object_get(clause, "rest"), lang_name(l));

	if (to == NULL)
		return;
	if (jb(clause, "none"))
		fputs(message_format(M_CONTROLS_NONE, l), to);
	json_each_at(i, e, ja(clause, "evidence")) {
		char when[RENDER_TEXT];

		render_time(js(e, "taken"), when);
		fprintf(to, "%s%s [%s, %s]", i > 0 ? " " : "", js(e, lang_name(l)), js(e, "from"), when);
	}
	if (*rest != '\0')
		fprintf(to, "%s%s%s", json_array_size(ja(clause, "evidence")) > 0 ? " " : "",
			message_format(M_CONTROLS_REST, l), rest);
	fclose(to);
	page_cell(p, text);
	free(text);
}

static void document(struct page *p, const json_t *d, enum lang l)
{
	static const enum message heads[] = { M_CONTROLS_CLAUSE, M_CONTROLS_FORCE, M_CONTROLS_READING,
					      M_CONTROLS_VERDICT, M_CONTROLS_EVIDENCE };

	page_section_text(p, js(json_object_get(d, "name"), lang_name(l)));
	page_say(p, M_CONTROLS_EDITION, js(json_object_get(d, "edition"), lang_name(l)));
	page_say(p, M_CONTROLS_NOTE, js(json_object_get(d, "note"), lang_name(l)));
	page_table(p, heads, 5);
	json_each(clause, ja(d, "clauses")) {
		enum verdict v = verdict_of(clause);

		page_cellf(p, "%s %s", js(d, "document"), js(clause, "clause"));
		page_cell(p, force_text(clause, l));
		page_cell(p, js(clause, lang_name(l)));
		page_cell_mark(p, verdict_text(v), verdict_mark(v));
		evidence_cell(p, clause, l);
	}
}

static void put_summary(struct page *p, const json_t *documents)
{
	static const enum message heads[] = { M_CONTROLS_DOCUMENT, M_VERDICT_MET, M_VERDICT_PARTLY,
					      M_VERDICT_NOT,	   M_VERDICT_ASK, M_VERDICT_UNREAD };

	page_section(p, M_CONTROLS_SUMMARY);
	page_table(p, heads, 6);
	json_each(d, documents) {
		page_cell(p, js(d, "document"));
		for (unsigned v = 0; v < VERDICT_COUNT; v++)
			page_cellf(p, "%llu", ju(json_object_get(d, "summary"), verdict_word((enum verdict)v)));
	}
}

struct page *report_controls(const json_t *facts, const struct deeds *deeds, enum lang l, json_t **ret_data)
{
	json_t *documents = controls_documents();
	struct page *p = page_new(l, M_CONTROLS_TITLE);

	json_each(d, documents)
		judge_document(d, facts, deeds);
	report_head(p, facts);
	page_say(p, M_CONTROLS_WHAT);
	put_summary(p, documents);
	json_each(d, documents)
		document(p, d, l);
	report_sign(p);
	*ret_data = report_data("controls", facts, "documents", documents);
	return p;
}

/* ---- the half-yearly self-check -------------------------------------------------------------- */

/*
 * The self-check in figures. The box answers what it can, with evidence. All other items have an
 * empty field for a person, and count as answered only when a person has filled it in.
 */

#define SELF_CHECK "P 2.4.2" /* the clause for which a person signs it */

/* Whether the box has decided about an item. A part that is missing counts as not done. */
static bool is_answered(enum verdict v)
{
	return v == VERDICT_MET || v == VERDICT_NOT || v == VERDICT_PARTLY;
}

static size_t verdict_count(const json_t *d, enum verdict v)
{
	return (size_t)ju(json_object_get(d, "summary"), verdict_word(v));
}

static void figures(struct page *p, const json_t *d, const struct deed_answer *last)
{
	static const enum message heads[] = { M_SELF_ITEMS, M_SELF_DONE, M_SELF_NOT, M_SELF_LEFT, M_SELF_RATE };
	size_t items = json_array_size(ja(d, "clauses")), done = verdict_count(d, VERDICT_MET);
	size_t open = verdict_count(d, VERDICT_NOT) + verdict_count(d, VERDICT_PARTLY);

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
	if (last != NULL)
		page_say(p, M_SELF_SIGNED, last->times, last->by, last->time, last->note);
	else
		page_say(p, M_SELF_UNSIGNED, SELF_CHECK);
	page_blank(p, M_SELF_RATE_WHOLE);
}

static void items(struct page *p, const json_t *d)
{
	static const enum message heads[] = { M_SELF_NUMBER, M_CONTROLS_CLAUSE,	  M_SELF_ITEM, M_SELF_BOX,
					      M_SELF_PERSON, M_CONTROLS_EVIDENCE, M_SELF_DUE };
	enum lang l = page_lang(p);

	page_section(p, M_SELF_LIST);
	page_table(p, heads, 7);
	json_each_at(i, clause, ja(d, "clauses")) {
		enum verdict v = verdict_of(clause);

		page_cellf(p, "%zu", i + 1);
		page_cellf(p, "%s %s", js(d, "document"), js(clause, "clause"));
		page_cell(p, js(clause, lang_name(l)));
		page_cell_mark(p,
			       v == VERDICT_MET	  ? M_SELF_YES
			       : v == VERDICT_NOT ? M_SELF_NO
						  : verdict_text(v),
			       verdict_mark(v));
		page_cell(p, is_answered(v) ? "-" : message_format(M_SELF_BLANK, l));
		evidence_cell(p, clause, l);
		page_cell(p, v == VERDICT_MET ? "-" : "");
	}
}

static json_t *judged_self_check(const json_t *facts, const struct deeds *deeds)
{
	json_t *d =
		json_loadb((const char *)controls_self_check, controls_self_check_size, JSON_REJECT_DUPLICATES, NULL);

	judge_document(d, facts, deeds);
	json_each(clause, json_object_get(d, "clauses"))
		(void)json_object_set_new(clause, "answer",
					  is_answered(verdict_of(clause))
						  ? json_boolean(verdict_of(clause) == VERDICT_MET)
						  : json_null());
	return d;
}

struct page *report_self_check(const json_t *facts, const struct deeds *deeds, enum lang l, json_t **ret_data)
{
	json_t *d = judged_self_check(facts, deeds);
	struct page *p = page_new(l, M_SELF_TITLE);

	report_head(p, facts);
	page_say(p, M_CONTROLS_EDITION, js(json_object_get(d, "edition"), lang_name(l)));
	page_say(p, M_CONTROLS_NOTE, js(json_object_get(d, "note"), lang_name(l)));
	figures(p, d, deeds_answer(deeds, SELF_CHECK));
	items(p, d);
	report_sign(p);
	*ret_data = report_data("self-check", facts, "check", d);
	return p;
}
