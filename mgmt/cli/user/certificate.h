/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of a TLS client certificate in a file, of which the register keeps no more than these.
 * A certificate that TLS could not use, or that nobody should, is refused here, with the reason, so
 * that nothing of one is read anywhere else.
 */
#ifndef SEKISHO_MGMT_CLI_USER_CERTIFICATE_H
#define SEKISHO_MGMT_CLI_USER_CERTIFICATE_H

#include "mgmt/cli/cli.h"

#define CERTIFICATE_DIGITS 64

struct certificate_facts {
	char digest[CERTIFICATE_DIGITS + 1]; /* SHA-256 of it as DER */
	char public[CERTIFICATE_DIGITS + 1]; /* of its public key's SubjectPublicKeyInfo */
	unsigned long long until;	     /* seconds since 1970 */
};

/* CLI_YES, or what the verb returns; then why was said. */
int certificate_facts(struct cli *c, const char *path, struct certificate_facts *ret);

#endif
