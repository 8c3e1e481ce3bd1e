//! Bytes in hexadecimal: `"0a ff"`.

use data_encoding::HEXLOWER_PERMISSIVE;
use serde_json::{Value, json};

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// More than a check has to say or look for at once.
const MOST: usize = 4096;

/// Some bytes, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Hex(pub(in super::super) Vec<u8>);

impl Setting for Hex {
    const EXPECTED: &'static str = "bytes in hexadecimal such as \"0a ff\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let reason = if digits.is_empty() {
            "there are none"
        } else if !digits.iter().all(u8::is_ascii_hexdigit) {
            "it has other signs than digits and spaces"
        } else {
            match HEXLOWER_PERMISSIVE.decode(&digits) {
                Ok(bytes) if bytes.len() <= MOST => return Some(Self(bytes)),
                Ok(_) => "there are more than 4096",
                Err(_) => "the last byte is only a half",
            }
        };
        problems.report(node.span(), Mistake::InvalidHex { reason });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^\s*([0-9a-fA-F]\s*)+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Hex;

    #[test]
    fn whole_bytes_with_or_without_spaces() {
        assert_eq!(read("'00 00 00 08 04d2162F'"), Ok(Hex(vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f])));
        for (text, words) in [
            ("'abc'", "the last byte is only a half"),
            ("'0x10'", "it has other signs than digits and spaces"),
            ("' '", "there are none"),
        ] {
            let expected = format!("invalid_hex: not bytes in hexadecimal: {words}");
            assert_eq!(read::<Hex>(text), Err(expected), "{text}");
        }
        assert!(read::<Hex>(&format!("'{}'", "00".repeat(4096))).is_ok());
        assert!(read::<Hex>(&format!("'{}'", "00".repeat(4097))).is_err());
    }
}
