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
#define DEEDS_REVIEWS 128u
#define DEEDS_ANSWERS 128u
#define DEEDS_ALONE 32u
#define CLAUSE_TEXT 80u
#define DEEDS_CLEAR 32u /* pairs of zone and clear-text protocol that are counted separately */

/* Sessions of a clear-text protocol that were opened from this zone. */
struct clear_seen {
	char zone[64], protocol[16];
	unsigned long long sessions;
};

struct finding {
	enum verdict verdict;
	char text[LANGUAGES][FINDING_TEXT];
};

/* What a person answered to a clause last. */
struct deed_answer {
	char clause[CLAUSE_TEXT]; /* "P 1.7.1" */
	char by[64], time[40], next[11];
	char digest[65]; /* of the evidence; "" = none */
	char note[200];
	unsigned times; /* how often it was answered in that year */
	bool good;	/* nothing was found */
};

/* Counts over the events of the last year. */
struct deeds {
	bool read; /* the records could be read */
	/* times of the last records of a backup and of a review; "" = none in that year */
	char backup[40], review[40];
	char review_by[64];
	char first[40]; /* time of the first record; "" = none */
	/* the times of records that reviews were about; further ones are not counted */
	struct {
		char from[40], until[40];
	} reviewed[DEEDS_REVIEWS];
	size_t n_reviewed;
	struct deed_answer answers[DEEDS_ANSWERS];
	size_t n_answers;
	/* times of the last successful check of a backup, and rehearsal of an isolation; "" = none
	 * in that year */
	char tried[40], rehearsed[40];
	unsigned long long approved; /* approvals */
	bool agreed;		     /* an approval waits for its apply */
	/* Policies that were applied without an approval after the first: when, and by whom. */
	struct {
		char time[40], by[64];
	} alone[DEEDS_ALONE];
	size_t n_alone;		/* can be more than there is room for */
	char alarms_tested[40]; /* time of the last self-test of alarms; "" = none in that year */
	bool alarms_rang;	/* all of them did, then */
	/* time of the last comparison of the parts with a list of vulnerabilities ("" = none in
	 * that year); what it found, which begins with the day of that list */
	char parts[40], parts_found[200];
	bool parts_vulnerable; /* a newer version mends some of it */
	unsigned long long weak_tls,
		/* weak_tls: sessions whose server chose weak TLS; lesser_tls: those that only lack
		 * forward secrecy */
		lesser_tls;
	char weak_conduit[64]; /* conduit of the last such session */
	/* TLS sessions to servers that no conduit declares */
	unsigned long long undeclared;
	char undeclared_conduit[64]; /* conduit of the last such session */
	struct clear_seen clear[DEEDS_CLEAR];
	size_t n_clear;
	unsigned long long clear_more; /* clear-text sessions for which `clear` had no room */
};

/* What a probe looks at. Everything that the probe needs could be read. */
struct evidence {
	const json_t *facts, *answer; /* all answers, and the one that the probe needs */
	const struct deeds *deeds;
};

struct probe {
	const char *word;
	const char *from; /* name of the answer that it needs */
	bool records;	  /* whether it needs the deeds as well */
	void (*look)(const struct evidence *of, struct finding *f);
};

const struct probe *probe_by_word(const char *word); /* NULL: there is none */
/* Runs a probe. If its answer is missing, the verdict is made here, so probes need not handle
 * that. */
void probe_look(const struct probe *p, const json_t *facts, const struct deeds *deeds, struct finding *ret);
/* Counts one event; to be called by facts_events. `ctx`: struct deeds. */
void deeds_count(void *ctx, const json_t *event);

/* The last answer to a clause; NULL: there is none in that year. */
const struct deed_answer *deeds_answer(const struct deeds *d, const char *clause);
/* Judges an answer at the time `made`; after `days` it counts no more (0: until it is asked
 * again). */
void answer_look(const struct deed_answer *a, const char *made, unsigned long long days, struct finding *f);

/* The functions of probe.def, for clauses.c only, and functions to write findings. */

#define PROBE(name, from, records) void probe_##name(const struct evidence *of, struct finding *f);
#include "mgmt/report/probe.def"

/* Sets the verdict, and one sentence in both languages. */
void finding_say(struct finding *f, enum verdict v, enum message m, ...);
/* Names for a sentence: a few of them, separated by commas, and the number of the others. */
#define NAMES_TEXT 300u
struct names {
	char text[NAMES_TEXT];
	size_t n;
};
void finding_name(struct names *n, const char *name);

#endif
