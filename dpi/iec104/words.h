/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of IEC 60870-5-104 as rows name them: a type by its number, what is said of a session by
 * the first byte of its control field. */
#ifndef SEKISHO_DPI_IEC104_WORDS_H
#define SEKISHO_DPI_IEC104_WORDS_H

enum iec104_space { IEC104_IOA, IEC104_SPACES };

/* The targets, in the order of the vocabulary. */
enum iec104_target { IEC104_CA, IEC104_ORIGINATOR, IEC104_CAUSE, IEC104_QUALIFIER };

#define IEC104_CA_ALL 65535u /* all stations behind that address */
/* of a qualifier: the command is chosen and not yet carried out */
#define IEC104_SELECT 0x100u
#define IEC104_FREEZES 301u		 /* C_CI_NA_1 that does more than read */
#define IEC104_SAYS(ctl) (1000u + (ctl)) /* a U or S frame */

/* Types that are more than a line of types.def. */
enum iec104_type {
	IEC104_C_CI = 101,
	IEC104_C_TS = 104,
	IEC104_P_ME_FIRST = 110,
	IEC104_P_ME_LAST = 112,
	IEC104_F_SG = 125,
};

/* First byte of a control field: S frames, and what U frames say. */
enum iec104_says {
	IEC104_S = 0x01,
	IEC104_STARTDT_ACT = 0x07,
	IEC104_STARTDT_CON = 0x0b,
	IEC104_STOPDT_ACT = 0x13,
	IEC104_STOPDT_CON = 0x23,
	IEC104_TESTFR_ACT = 0x43,
	IEC104_TESTFR_CON = 0x83,
};

#endif
