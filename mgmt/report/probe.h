/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: small questions to the facts (answers.h). Each answers one point, with its evidence. A
 * probe answers "met" only for what it has read; UNREAD means that the facts could not be read, and
 * ASK means that only a person can answer. probe.def lists them. Pure.
 */
#ifndef SEKISHO_MGMT_REPORT_PROBE_H
#define SEKISHO_MGMT_REPORT_PROBE_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

enum verdict {
	VERDICT_MET,
	VERDICT_PARTLY,
	VERDICT_NOT,
	VERDICT_ASK,	/* the box cannot answer, so a person has to */
	VERDICT_UNREAD, /* the answer could not be read now */
	VERDICT_COUNT
};

const char *verdict_word(enum verdict v);  /* "met", ... for programs */
enum message verdict_text(enum verdict v); /* for people */
const char *verdict_mark(enum verdict v);  /* for page_cell_mark */

#define FINDING_TEXT 1100u
#define DEEDS_CLEAR 32u /* zones and protocols in clear that are told apart */

/* Sessions of a protocol in clear that a zone opened and that were seen. */
struct clear_seen {
	char zone[64], protocol[16];
	unsigned long long sessions;
};

struct finding {
	enum verdict verdict;
	char text[LANGUAGES][FINDING_TEXT];
};

/* What was counted of the events of the last year; NULL members of facts are read
 * through answers.h. */
struct deeds {
	bool read; /* the records could be asked */
	/* when the last backup and the last review were recorded, "" = not in that time */
	char backup[40], review[40];
	char review_by[64];
	unsigned long long weak_tls,
		/* sessions whose server chose weak TLS, and that without forward secrecy alone */
		lesser_tls;
	char weak_conduit[64]; /* of the last such */
	/* sessions of TLS for a server that no conduit declares by name */
	unsigned long long undeclared;
	char undeclared_conduit[64]; /* of the last such */
	struct clear_seen clear[DEEDS_CLEAR];
	size_t n_clear;
	unsigned long long clear_more; /* sessions that found no place among them */
};

struct probe {
	const char *word;
	const char *from; /* the answer that it reads */
	void (*look)(const json_t *facts, const struct deeds *deeds, struct finding *f);
};

const struct probe *probe_by_word(const char *word); /* NULL: there is none */
/* Asks it; what it reads is looked up first, so that none of them has to say what is missing. */
void probe_look(const struct probe *p, const json_t *facts, const struct deeds *deeds, struct finding *ret);
/* Counts one event; a callback of facts_events. `ctx`: struct deeds. */
void deeds_count(void *ctx, const json_t *event);

/* The functions behind probe.def, for probe.c alone, and what they say it with (finding.c). */

#define PROBE(name, from) void probe_##name(const json_t *facts, const struct deeds *deeds, struct finding *f);
#include "mgmt/report/probe.def"

/* One sentence in both languages. */
void finding_say(struct finding *f, enum verdict v, enum message m, ...);
/* Up to a few names with a comma between them, and how many more there are: for lists in
 * a sentence. */
#define NAMES_TEXT 300u
struct names {
	char text[NAMES_TEXT];
	size_t n;
};
void finding_name(struct names *n, const char *name);

#endif
