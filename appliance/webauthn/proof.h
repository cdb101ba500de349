/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether what a browser sent holds: by libfido2, which takes apart what a security key said and checks its signature. The two things that it
 * cannot know, whether the challenge is one of ours and whether the key's count went up, are the caller's. Pure.
 */
#ifndef SEKISHO_WEBAUTHN_PROOF_H
#define SEKISHO_WEBAUTHN_PROOF_H

#include "appliance/wire/webauthn.h"

/* Before the first proof, and before the sandbox closes: the libraries read their settings then. False: they are not as they should be. */
bool proof_begin(void);

/*
 * `text`: of a login the credential's id, client data, authenticator data and signature; of a new key client data and authenticator data. Attestation,
 * which would say who made the key, is neither asked for nor looked at.
 */
void proof_judge(const struct webauthn_question *q, struct webauthn_answer *ret);

#endif
