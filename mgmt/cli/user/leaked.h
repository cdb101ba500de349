/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of leaked passphrases in a file, as others publish them, put into the form that the box
 * takes (appliance/wire/leaked.h). What stands in the file is read in a process apart. Lines that
 * could be no passphrase here are passed over, so that of a long list little is left.
 */
#ifndef SEKISHO_MGMT_CLI_USER_LEAKED_H
#define SEKISHO_MGMT_CLI_USER_LEAKED_H

#include "mgmt/cli/cli.h"

struct leaked_lines {
	unsigned long long taken, passed_over;
	/* of those that were passed over: hashes, and no SHA-1 of all digits */
	unsigned long long other_hashes;
};

/* CLI_YES and a sealed memfd, the caller's to close; or what the verb returns; then why
 * was said. */
int leaked_file(struct cli *c, const char *path, int *ret_fd, struct leaked_lines *ret);
/* Of a text in memory: what the memfd is made of, malloc'd; NULL: memory is out. *ret_n 0: nothing
 * in it is one, or too many are. Pure. */
uint8_t *leaked_list(const char *text, size_t n, size_t *ret_n, bool *ret_too_many, struct leaked_lines *ret);

#endif
