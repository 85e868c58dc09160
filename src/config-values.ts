import { SettingError } from './config-product';
import { settings, type SettingName } from './config-settings';

/** Environment variables and their values. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads single settings; what is not set, or blank, is the default. */
export interface SettingReader {
  readonly text: (name: SettingName) => string;
  readonly list: (name: SettingName) => readonly string[];
  /** @throws SettingError when it is no whole number between the two */
  readonly integer: (name: SettingName, min: number, max: number) => number;
  /** @throws SettingError when it is none of the choices */
  readonly choice: <const Choice extends string>(
    name: SettingName,
    choices: readonly Choice[],
  ) => Choice;
}

/** A reader of these variables. */
export function settingReader(environment: Environment): SettingReader {
  const text = (name: SettingName): string => {
    const given = environment[name]?.trim();
    if (given !== undefined && given !== '') return given;
    return settings.find((each) => each.name === name)?.fallback ?? '';
  };
  return {
    text,
    list: (name) =>
      text(name)
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    integer(name, min, max) {
      const given = text(name);
      const value = /^\d{1,9}$/.test(given) ? Number(given) : NaN;
      if (value >= min && value <= max) return value;
      throw new SettingError(name, `must be a whole number from ${min} to ${max}, not "${given}".`);
    },
    choice(name, choices) {
      const given = text(name);
      const choice = choices.find((each) => each === given);
      if (choice !== undefined) return choice;
      throw new SettingError(name, `must be one of ${choices.join(', ')}, not "${given}".`);
    },
  };
}
