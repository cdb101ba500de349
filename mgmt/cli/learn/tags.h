/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of tags for the comments of a proposal, from a CSV file as engineering tools export it. The
 * first row names the columns `address` and `name`, and if needed `server`; others are ignored. An
 * address is written as in rows of the policy, with the key before it ("holding 10", "D100") where
 * several keys of the protocol would fit; and as Modbus' manuals write it, 40011. Names never
 * decide what is allowed.
 */
#ifndef SEKISHO_MGMT_CLI_LEARN_TAGS_H
#define SEKISHO_MGMT_CLI_LEARN_TAGS_H

#include <stdio.h>

#include "appliance/base/addr.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/vocabulary.h"
#include "mgmt/cli/cli.h"

struct tag_names;

/* NULL: the file cannot be read; this was printed, and *ret_status is set. */
struct tag_names *tag_names_read(struct cli *c, const char *path, int *ret_status);
void tag_names_free(struct tag_names *t); /* accepts NULL */
/* Prints the names that this server has for these ranges of a space, which are sorted and apart: a
 * comment for each, with `next` behind it. */
void tag_names_print(struct tag_names *t, FILE *to, enum lang lang, const struct vocabulary *v, uint8_t space,
		     const struct addr *server, const struct number_range *ranges, size_t n, const char *next);
/* How many rows the file has, and of how many the name was printed. */
void tag_names_count(const struct tag_names *t, uint64_t *ret_all, uint64_t *ret_printed);

#endif
