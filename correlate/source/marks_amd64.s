//go:build !purego

#include "textflag.h"

// What a byte has to be, by its lower four bits: of e r s t; of C E M; of newline [ \ ]. 0xff is no byte's.
DATA small<>+0(SB)/8, $0xffff65747372ffff
DATA small<>+8(SB)/8, $0xffffffffffffffff
GLOBL small<>(SB), RODATA|NOPTR, $16
DATA capitals<>+0(SB)/8, $0xffff45ff43ffffff
DATA capitals<>+8(SB)/8, $0xffff4dffffffffff
GLOBL capitals<>(SB), RODATA|NOPTR, $16
DATA brackets<>+0(SB)/8, $0xffffffffffffffff
DATA brackets<>+8(SB)/8, $0xffff5d5c5b0affff
GLOBL brackets<>(SB), RODATA|NOPTR, $16
DATA brace<>+0(SB)/1, $0x7b
GLOBL brace<>(SB), RODATA|NOPTR, $1
DATA colon<>+0(SB)/1, $0x3a
GLOBL colon<>(SB), RODATA|NOPTR, $1
DATA letter<>+0(SB)/1, $0x65
GLOBL letter<>(SB), RODATA|NOPTR, $1

// LOOK sets the bits of 32 bytes of text that are places: newline [ \ ], { unless it is behind a colon, and C E M behind e r s t.
// It loads them into text; last has the 32 before. Y5 is the byte before each.
#define LOOK(at, text, last, into) \
	VMOVDQU    (at)(SI), text          \
	VPERM2I128 $0x21, text, last, Y5   \
	VPALIGNR   $15, Y5, text, Y5       \
	VPSHUFB    Y5, Y0, Y6              \
	VPCMPEQB   Y5, Y6, Y6              \
	VPSHUFB    text, Y1, Y7            \
	VPCMPEQB   text, Y7, Y7            \
	VPAND      Y6, Y7, Y7              \
	VPSHUFB    text, Y2, Y6            \
	VPCMPEQB   text, Y6, Y6            \
	VPOR       Y6, Y7, Y7              \
	VPCMPEQB   text, Y3, Y6            \
	VPCMPEQB   Y5, Y8, Y5              \
	VPANDN     Y6, Y5, Y6              \
	VPOR       Y6, Y7, Y7              \
	VPMOVMSKB  Y7, into

// PLACE writes down the place of the lowest bit of R8, in the block that begins at AX, and takes the bit away.
#define PLACE(to) \
	TZCNTQ R8, R9       \
	ADDQ   AX, R9       \
	MOVW   R9, (to)(DI) \
	BLSRQ  R8, R8

// func markAVX2(text *byte, blocks int, places *uint16) int
TEXT ·markAVX2(SB), NOSPLIT, $0-32
	MOVQ           text+0(FP), SI
	MOVQ           blocks+8(FP), CX
	MOVQ           places+16(FP), DI
	MOVQ           DI, BX
	VBROADCASTI128 small<>(SB), Y0
	VBROADCASTI128 capitals<>(SB), Y1
	VBROADCASTI128 brackets<>(SB), Y2
	VPBROADCASTB   brace<>(SB), Y3
	VPBROADCASTB   colon<>(SB), Y8
	VPBROADCASTB   letter<>(SB), Y9 // what is before isn't known: perhaps a sign's small letter
	XORQ           AX, AX           // where the block begins

next:
	LOOK(0, Y4, Y9, R8)
	LOOK(32, Y9, Y4, R9)
	SHLQ $32, R9
	ORQ  R9, R8

	// Most blocks have no more than four places: these are written without asking how many there are.
	POPCNTQ R8, R12
	LEAQ    (DI)(R12*2), R12
	PLACE(0)
	PLACE(2)
	PLACE(4)
	PLACE(6)
	ADDQ    $8, DI
	TESTQ   R8, R8
	JZ      listed

more:
	PLACE(0)
	ADDQ  $2, DI
	TESTQ R8, R8
	JNZ   more

listed:
	MOVQ R12, DI
	ADDQ $64, SI
	ADDQ $64, AX
	DECQ CX
	JNZ  next
	VZEROUPPER
	SUBQ BX, DI
	SHRQ $1, DI
	MOVQ DI, ret+24(FP)
	RET
