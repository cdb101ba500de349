/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind probe.def, for probe.c alone, and what they say it with (finding.c). */
#ifndef SEKISHO_MGMT_CLI_REPORT_PROBES_H
#define SEKISHO_MGMT_CLI_REPORT_PROBES_H

#include "mgmt/cli/report/probe.h"

#define PROBE(name, from) void probe_##name(const json_t *facts, const struct deeds *deeds, struct finding *f);
#include "mgmt/cli/report/probe.def"

/* One sentence in both languages. */
void finding_say(struct finding *f, enum verdict v, enum message m, ...);
/* Up to a few names with a comma between them, and how many more there are: for lists in a sentence. */
#define NAMES_TEXT 300u
struct names {
	char text[NAMES_TEXT];
	size_t n;
};
void names_add(struct names *n, const char *name);

#endif
