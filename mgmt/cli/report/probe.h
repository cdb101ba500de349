/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Probes: small questions to the facts (facts.h), each of which answers one thing with what it was read from. A probe says "met" only of
 * what it has read; what
 * could not be read is UNREAD, and what no machine can know is ASK. Which there are: probe.def. Pure.
 */
#ifndef SEKISHO_MGMT_CLI_REPORT_PROBE_H
#define SEKISHO_MGMT_CLI_REPORT_PROBE_H

#include "appliance/base/json.h"
#include "appliance/base/messages.h"

enum verdict {
	VERDICT_MET,
	VERDICT_PARTLY,
	VERDICT_NOT,
	VERDICT_ASK,	/* the box cannot answer: a person has to */
	VERDICT_UNREAD, /* what would answer could not be read now */
	VERDICT_COUNT
};

const char *verdict_word(enum verdict v);  /* "met", ... for programs */
enum message verdict_text(enum verdict v); /* for people */
const char *verdict_mark(enum verdict v);  /* for page_cell_mark */

#define FINDING_TEXT 700u
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

/* What was counted of the events of the last year; NULL members of facts are read through facts.h. */
struct deeds {
	bool read;		     /* the records could be asked */
	char backup[40], review[40]; /* when the last backup and the last review were recorded, "" = not in that time */
	char review_by[64];
	unsigned long long weak_tls,
		lesser_tls;    /* sessions whose server chose weak TLS, and that without forward secrecy alone */
	char weak_conduit[64]; /* of the last such */
	unsigned long long undeclared; /* sessions of TLS for a server that no conduit declares by name */
	char undeclared_conduit[64];   /* of the last such */
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

#endif
