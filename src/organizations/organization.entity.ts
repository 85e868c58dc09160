import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of `organizations`. */
@Entity('organizations')
export class OrganizationEntity {
  @PrimaryColumn('uuid') id: string;
  @Column('text') slug: string;
  @Column('text') name: string;
  @Column('text') plan: string;
  @Column('timestamp with time zone', { name: 'created_at', precision: 3 }) createdAt: Date;
}
