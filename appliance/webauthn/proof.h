/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the message of a browser with libfido2, which parses the message of the security key and
 * verifies its signature. The caller checks whether the challenge is ours, and whether the key's
 * counter has increased. Pure.
 */
#ifndef SEKISHO_WEBAUTHN_PROOF_H
#define SEKISHO_WEBAUTHN_PROOF_H

#include "appliance/wire/webauthn.h"

/* To be called before the first proof, and before the sandbox closes, because the libraries read
 * their settings. False: the settings are wrong. */
bool proof_begin(void);

/*
 * `text`: for a login, the credential's id, client data, authenticator data and signature; for a
 * new key, client data and authenticator data. Attestation, which names the maker of the key, is
 * neither requested nor checked.
 */
void proof_judge(const struct webauthn_question *q, struct webauthn_answer *ret);

#endif
