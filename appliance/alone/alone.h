/* SPDX-License-Identifier: Apache-2.0 */
/* What `sekishod` does for root, in a process of its own, when no daemon runs. */
#ifndef SEKISHO_ALONE_ALONE_H
#define SEKISHO_ALONE_ALONE_H

#include <stdbool.h>

struct supervise_options; /* supervise/supervise.h */

/*
 * Without a daemon: gives the device back (NULL: all devices), or with `list` only lists them.
 * Prints one JSON object, as the daemon would answer; returns the exit status.
 */
int release_alone(const struct supervise_options *o, const char *device, bool list);
/* Loads only the deny base: makes both namespaces if necessary; returns the exit status. */
int base_alone(const struct supervise_options *o);
/* Without a daemon: prints the answer to "status" or "effective" as JSON; returns the exit status
 * that goes with it. */
int supervise_standing(const struct supervise_options *o, const char *question);

#endif
