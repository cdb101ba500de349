/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The templates of one worker's leases (appliance/wire/once.h). Sessions that ask the same share a
 * template, so a thousand sessions of one permit that poll alike need one. A template that a
 * session uses is never changed: another request gets another template.
 */
#ifndef SEKISHO_WORKER_TEMPLATE_H
#define SEKISHO_WORKER_TEMPLATE_H

#include <stdint.h>

#include "appliance/wire/once.h"

struct templates {
	struct once_template *of; /* ONCE_TEMPLATES, shared with the kernel */
	uint16_t users[ONCE_TEMPLATES];
	/* chains by hash, and the chain of those without a user: index + 1 of the next, 0:
	 * the last */
	uint16_t first[ONCE_TEMPLATES], next[ONCE_TEMPLATES], unused;
};

/* All templates are unused from here on. `of` is borrowed. */
void templates_begin(struct templates *t, struct once_template *of);
/* The index of a template with these contents, with one more user; ONCE_TEMPLATES: all are
 * in use. */
uint32_t template_take(struct templates *t, const struct once_template *like);
/* One user of this template less. */
void template_drop(struct templates *t, uint32_t at);

#endif
