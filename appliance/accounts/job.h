/* SPDX-License-Identifier: Apache-2.0 */
/* What the desk does for a person while a child computes. */
#ifndef SEKISHO_ACCOUNTS_JOB_H
#define SEKISHO_ACCOUNTS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/accounts/account.h"
#include "appliance/accounts/passphrase.h"
#include "appliance/accounts/secret.h"
#include "appliance/base/addr.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/said.h"
#include "appliance/wire/webauthn.h"

enum job_kind { JOB_ORDER, JOB_LOGIN, JOB_KEY, JOB_MANAGE, JOB_PASSPHRASE };

struct job {
	bool used;
	enum job_kind kind;
	/* numbers of the question to the hasher, of the one to sekisho-webauthn, and of the
	 * question to be answered */
	uint32_t hash_id, proof_id, id;
	enum user_order order;
	struct addr from;
	/* for a login or a key. `locks`: this failure locks the name; `known`: the account
	 * exists */
	bool locks, known;
	char name[LOGIN_NAME + 1], by[ACCOUNT_BY + 1];
	enum proof proof_kind;
	enum key_order key_order;
	enum manage_order manage;
	/* the typed passphrase is in the list of leaked ones; the person is told only if it is
	 * right */
	bool leaked;
	bool same; /* the new passphrase equals the present one */
	/* the person was identified and has typed his passphrase, so from now on the answer is
	 * about the order */
	bool deed;
	char label[LOGIN_LABEL + 1];
	/* what a key or certificate proves; the text of an order over the web; or the new
	 * passphrase */
	char proof[WEBAUTHN_TEXT + 1];
	uint8_t secret[SECRET_BYTES]; /* secret of the session, if the job is about a key */
	/* digest of the connection's certificate; zero = none */
	uint8_t shown[DIGEST_BYTES];
	/* the account's keys when the check began */
	struct webauthn_key keys[WEBAUTHN_KEYS];
	char made[PASSPHRASE_MADE]; /* a generated passphrase, to be shown once */
	char hash[PASSPHRASE_HASH]; /* the account's hash when the login began */
	struct account draft;	    /* the account that is being added */
	/* difference between the code's time and the box's clock; "" = the code is not ours */
	char away[24];
};

#endif
