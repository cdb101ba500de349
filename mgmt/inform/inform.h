/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends one notification of docs/SEKISHO-MIB.txt as an inform, by libnetsnmp: SNMPv3 with
 * HMAC-SHA-256 (RFC 7860) and AES-128 (RFC 3826), and no other algorithms. It counts as delivered
 * when the receiver has acknowledged it, authenticated and encrypted; any other answer is ignored.
 */
#ifndef SEKISHO_MGMT_INFORM_INFORM_H
#define SEKISHO_MGMT_INFORM_INFORM_H

#include <stdint.h>

#include "mgmt/notify/outlet.h"

/* The engine ID by which a receiver recognises this box (RFC 3411, 5). It is drawn once and kept
 * beside the ledger. */

#define ENGINE_BYTES 17u

/* Reads the engine ID from its file, or makes a new one if there is no valid one. 0 or negative
 * errno: it could not be stored. */
int engine_id(int dirfd, uint8_t ret[ENGINE_BYTES], struct err *e);

#define PASSPHRASE_LEAST 8u /* RFC 3414, 11.2 */
#define PASSPHRASE_MOST 256u

#define INFORM_KEY 120u /* bytes of a key; the caller has to shorten longer ones */

enum inform_what { INFORM_RAISED = 1, INFORM_CLEARED, INFORM_RECORDED }; /* values of the MIB */

struct inform {
	enum inform_what what;
	const char *site, *code, *key, *sentence; /* UTF-8 */
	bool grave;
	const char *when; /* "2026-11-24T12:00:00.000Z" */
	uint32_t generation, serial, dropped;
};

struct informer;

/* Derives the keys from the passphrases, which are not kept. NULL: *e has the reason, without the
 * passphrases. */
struct informer *informer_new(const struct outlet_settings *s, const uint8_t engine[ENGINE_BYTES], const char *auth,
			      const char *privacy, struct err *e);
/*
 * Initialises the library and finds out the receiver's engine. Only once in a process, because the
 * library's knowledge of a receiver is only forgotten when the process ends (child_run). False: *e
 * has the reason.
 */
bool informer_open(struct informer *i, struct err *e);
/* Sends one inform and waits some seconds for its acknowledgement. False: *e has the reason. */
bool informer_send(struct informer *i, const struct inform *what, struct err *e);

/* A child process (child.c): it runs a task that reads strangers' bytes. If the child crashes,
 * hangs or leaks memory, the program goes on. */

/* The work of the child, which reports by writing bytes to `to`. child_said gets each byte; if it
 * returns true, the child is waiting for one byte as a reply before it goes on. */
typedef void child_work(void *of, int to);
typedef bool child_said(void *of, uint8_t byte);

/* 0: the child came to its end. Negative errno with *e: a signal ended it; -ETIMEDOUT: we ended it
 * after `seconds`. */
int child_run(unsigned seconds, child_work *work, child_said *said, void *of, struct err *e);

#endif
