/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One notification of docs/SEKISHO-MIB.txt as an inform, by libnetsnmp: SNMPv3 with HMAC-SHA-256 (RFC 7860) and AES-128 (RFC 3826), and in no other
 * way. It went when the receiver has said so, authenticated and encrypted as well; whatever else comes back is no answer.
 */
#ifndef SEKISHO_MGMT_INFORM_INFORM_H
#define SEKISHO_MGMT_INFORM_INFORM_H

#include "mgmt/inform/engine.h"
#include "mgmt/inform/settings.h"

#define PASSPHRASE_LEAST 8u /* RFC 3414, 11.2 */
#define PASSPHRASE_MOST 256u

#define INFORM_KEY 120u /* bytes of a key, cut by whoever has a longer one */

enum inform_what { INFORM_RAISED = 1, INFORM_CLEARED, INFORM_RECORDED }; /* as the MIB has them */

struct inform {
	enum inform_what what;
	const char *site, *code, *key, *sentence; /* UTF-8 */
	bool grave;
	const char *when; /* "2026-11-24T12:00:00.000Z" */
	uint32_t generation, serial, dropped;
};

struct informer;

/* Keys are made of the passphrases, which are not kept. NULL: *e says why, without them. */
struct informer *informer_new(const struct inform_settings *s, const uint8_t engine[ENGINE_BYTES], const char *auth,
			      const char *privacy, struct err *e);
/*
 * Begins the library and asks the receiver who it is: once in a process, with whose end (child.h) goes what the library learnt of a receiver. False: *e.
 */
bool informer_open(struct informer *i, struct err *e);
/* Some seconds at most. False: *e. */
bool informer_send(struct informer *i, const struct inform *what, struct err *e);

#endif
