//! One-time passwords of the moment (RFC 6238). Pure.

use data_encoding::BASE32_NOPAD;
use totp_rs::{Algorithm, TOTP};

use crate::config::{Totp, TotpAlgorithm};
use crate::model::{Reason, Timestamp};

/// The password that `seed`, in Base32 as it is shown to people, makes at `now`.
pub(super) fn password(totp: &Totp, seed: &str, now: Timestamp) -> Result<String, Reason> {
    let seed: String =
        seed.chars().filter(|c| !matches!(c, ' ' | '-' | '=')).collect::<String>().to_uppercase();
    let seed = BASE32_NOPAD.decode(seed.as_bytes()).ok().filter(|seed| !seed.is_empty());
    let seed = seed.ok_or_else(|| Reason::ProberMisconfigured {
        detail: format!("a seed in Base32: the {} is none", totp.seed),
    })?;
    let algorithm = match totp.algorithm {
        TotpAlgorithm::Sha1 => Algorithm::SHA1,
        TotpAlgorithm::Sha256 => Algorithm::SHA256,
        TotpAlgorithm::Sha512 => Algorithm::SHA512,
    };
    let period = totp.period.to_duration().as_secs().max(1);
    // Not checked, as the checks refuse the 80 bits that many servers give out.
    let totp = TOTP::new_unchecked(algorithm, usize::from(totp.digits.get()), 1, period, seed);
    Ok(totp.generate(u64::try_from(now.as_micros()).unwrap_or(0) / 1_000_000))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use data_encoding::BASE32;

    use super::*;
    use crate::config::SecretRef;
    use crate::model::Span;

    fn totp(algorithm: TotpAlgorithm, digits: u8) -> Totp {
        Totp {
            seed: SecretRef::Env("SEED".to_owned()),
            digits: NonZeroU8::new(digits).unwrap(),
            period: Span::from_secs(30),
            algorithm,
        }
    }

    /// Appendix B of the RFC.
    #[test]
    fn the_vectors() {
        use TotpAlgorithm::{Sha1, Sha256, Sha512};
        for (at, one, two, five) in [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ] {
            for (algorithm, length, password) in
                [(Sha1, 20, one), (Sha256, 32, two), (Sha512, 64, five)]
            {
                let seed: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
                let now = Timestamp::from_secs(at);
                let made = super::password(&totp(algorithm, 8), &BASE32.encode(&seed), now);
                assert_eq!(made, Ok(password.to_owned()), "{algorithm:?} at {at}");
            }
        }
    }

    #[test]
    fn seeds_as_people_write_them() {
        let now = Timestamp::from_secs(59);
        let six = totp(TotpAlgorithm::Sha1, 6);
        let password = |seed| super::password(&six, seed, now);
        assert_eq!(password("gezd gnbv gy3t qojq gezd gnbv gy3t qojq"), Ok("287082".to_owned()));
        for seed in ["", "hush!", "1"] {
            let reason = password(seed).unwrap_err();
            assert_eq!(reason.name(), "prober_misconfigured");
            assert!(!reason.to_string().contains("hush"), "{reason}");
        }
    }
}
