/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of DNP3 as rows name them: a function by its number, plus a multiple of 1000 if the kind of
 * object makes it another command; link layer services from 9000 on. */
#ifndef SEKISHO_DPI_DNP3_WORDS_H
#define SEKISHO_DPI_DNP3_WORDS_H

/* Kinds of points, each with indexes of its own. */
enum dnp3_space {
#define SPACE(id, ...) id,
#include "dpi/dnp3/spaces.def"
	DNP3_SPACES,
};

/* The targets, in the order of the vocabulary. */
enum dnp3_target { DNP3_OUTSTATION, DNP3_MASTER, DNP3_OBJECT, DNP3_CODE };

/* Function codes (IEEE 1815, clause 4). */
enum dnp3_function {
	DNP3_CONFIRM = 0,
	DNP3_READ = 1,
	DNP3_WRITE = 2,
	DNP3_SELECT = 3,
	DNP3_OPERATE = 4,
	DNP3_DIRECT_OPERATE = 5,
	DNP3_DIRECT_OPERATE_NR = 6,
	DNP3_FREEZE = 7,
	DNP3_FREEZE_NR = 8,
	DNP3_FREEZE_CLEAR = 9,
	DNP3_FREEZE_CLEAR_NR = 10,
	DNP3_FREEZE_AT_TIME = 11,
	DNP3_FREEZE_AT_TIME_NR = 12,
	DNP3_INITIALIZE_APPLICATION = 16,
	DNP3_ENABLE_UNSOLICITED = 20,
	DNP3_DISABLE_UNSOLICITED = 21,
	DNP3_ASSIGN_CLASS = 22,
	DNP3_AUTHENTICATE = 32,
	DNP3_AUTHENTICATE_NR = 33,
	DNP3_REQUESTS = 34, /* codes below this one are known requests */
	DNP3_RESPONSE = 129,
	DNP3_UNSOLICITED = 130,
	DNP3_CHALLENGE = 131,
};

/* Added to the code of read or write, because for these kinds of objects it is another command. */
#define DNP3_OF_CLASSES 1000u
#define DNP3_OF_FILES 2000u
#define DNP3_OF_TIME 3000u
#define DNP3_OF_INDICATIONS 4000u
#define DNP3_OF_TERMINALS 5000u
/* Added for analog outputs, because functions that switch a binary output set a value there. */
#define DNP3_OF_ANALOG 7000u
#define DNP3_SECURE 6000u /* objects of secure authentication, whatever the function */
/* Link layer services, by PRM bit (1 or 0) and function. */
#define DNP3_LINK(prm, function) (9000u + ((prm) ? 0u : 100u) + (function))

#define DNP3_BROADCAST 0xfffdu /* this address and all above it (IEEE 1815, clause 9) */

#endif
