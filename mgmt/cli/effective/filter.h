/* SPDX-License-Identifier: Apache-2.0 */
/* Selects the effective rules about one conduit, zone, asset or host. */
#ifndef SEKISHO_MGMT_CLI_EFFECTIVE_FILTER_H
#define SEKISHO_MGMT_CLI_EFFECTIVE_FILTER_H

#include "mgmt/cli/cli.h"

/* A condition that is NULL matches everything. All given conditions must match; asset and host
 * together form one list of addresses. */
struct effective_filter {
	const char *conduit, *zone, *asset;
	const char *host; /* as effective_host wants it */
};

/* Whether the text is an address, a prefix, or a first and a last address with "-" between them. */
bool effective_host(const char *text);
/* The first conduit, zone or asset of the filter that the box's answer does not have; NULL when it
 * has all. */
const char *effective_lacks(const json_t *effective, const struct effective_filter *f);

/*
 * Leaves out of the box's answer what does not match, and adds "filter" to it. False when the
 * filter names what this generation does not have; *ret then is the word that was not found.
 */
bool effective_filter(json_t *effective, const struct effective_filter *f, const char **ret);

#endif
