/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the facts of a TLS client certificate that the register of accounts keeps. Certificates
 * that TLS could not use, or that are too weak, are refused here with the reason, so nothing else
 * has to read certificates.
 */
#ifndef SEKISHO_MGMT_CLI_USER_CERTIFICATE_H
#define SEKISHO_MGMT_CLI_USER_CERTIFICATE_H

#include "mgmt/cli/cli.h"

#define CERTIFICATE_DIGITS 64

struct certificate_facts {
	char digest[CERTIFICATE_DIGITS + 1]; /* SHA-256 of the certificate in DER */
	char public[CERTIFICATE_DIGITS + 1]; /* SHA-256 of its public key (SubjectPublicKeyInfo) */
	unsigned long long until;	     /* seconds since 1970 */
};

/* CLI_YES, or the status for the verb after the reason was printed. */
int certificate_facts(struct cli *c, const char *path, struct certificate_facts *ret);

#endif
